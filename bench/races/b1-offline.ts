/**
 * B1: how much of the device a bulk run gets. Rows a second with an endless backlog, over the oracle (an exact partition of
 * two thousand rows over the table measured in the same block), over the best static setting, over no batching.
 */

import type { BenchOptions } from '../method/options.ts';
import { measurePairs, median, ratioOf } from '../method/ratio.ts';
import { type Figure, finish, printTable, round } from '../method/report.ts';
import { type Contender, ours, peers, staticSettings } from '../peers/contenders.ts';
import { findSubject } from '../pipeline/subjects.ts';
import { type DeviceName, deviceOf } from '../simulator/devices.ts';
import type { CallMs } from '../simulator/latency-table.ts';
import { type LengthMix, lengthMixes } from '../simulator/lengths.ts';
import { bulkRun } from '../simulator/loads.ts';
import { measure } from '../simulator/measures.ts';
import { oracleRate } from '../simulator/oracle.ts';
import { createRandom } from '../simulator/random.ts';
import { measureTables } from './measure-table.ts';
import { RealTrack } from './real-track.ts';
import { SimulatedTrack } from './simulated-track.ts';
import type { Track } from './track.ts';

const mixes: readonly LengthMix[] = ['short', 'lognormal', 'bimodal'];
const lanes = 2;
const warmMs = { simulated: 15_000, real: 2500 };
const simulatedMs = 30_000;
const noBatching = peers[0] as Contender;

export async function benchB1(options: BenchOptions): Promise<void> {
  const simulated: Record<string, Record<string, number>> = {};
  for (const device of ['minilm-fp32', 'minilm-int8'] as const) await simulateAll(device, simulated);
  const figures = options.simulateOnly ? [] : await measureReal(options);
  finish('B1', figures, {}, options.keep, { simulated_share_of_oracle: simulated });
}

async function simulateAll(device: DeviceName, into: Record<string, Record<string, number>>): Promise<void> {
  const callMs = deviceOf(device);
  const everyone = [ours, ...peers, ...staticSettings.filter(({ name }) => name.startsWith('sorted'))];
  const shares = new Map(everyone.map(({ name }) => [name, [] as number[]]));
  for (const mix of mixes) {
    const track = new SimulatedTrack({ lanes, callMs: { m: callMs } });
    const oracle = oracleRate(callMs, lengthMixes[mix], lanes);
    for (const contender of everyone) {
      const rate = await bulkRate(track, contender, mix, warmMs.simulated, simulatedMs);
      shares.get(contender.name)?.push(rate / oracle);
    }
  }
  printTable(
    [`simulated: ${device}, share of the oracle`, ...mixes],
    [...shares].map(([name, row]) => [name, ...row]),
  );
  for (const [name, row] of shares)
    into[`${device}: ${name}`] = Object.fromEntries(mixes.map((mix, i) => [mix, round(row[i] ?? 0)]));
}

/** Rows a second after a warm-up. */
export async function bulkRate(
  track: Track,
  contender: Contender,
  mix: LengthMix,
  warm: number,
  measuredMs: number,
): Promise<number> {
  const loads = [bulkRun(lengthMixes[mix], createRandom(1))];
  const ended = await track.run({ contender, loads, ms: warm + measuredMs });
  return measure(ended, { fromMs: warm, untilMs: warm + measuredMs }).perSecond;
}

async function measureReal({ pairs, seconds, only }: BenchOptions): Promise<Figure[]> {
  const track = await RealTrack.open(await findSubject('all-MiniLM-L6-v2'), lanes);
  const figures: Figure[] = [];
  try {
    for (const mix of mixes.filter((name) => name.includes(only))) {
      const rate = (contender: Contender) => bulkRate(track, contender, mix, warmMs.real, seconds * 1000);
      const best = await bestStatic(rate);
      for (const peer of [noBatching, best]) {
        const { a, b } = await measurePairs(
          pairs,
          () => rate(ours),
          () => rate(peer),
          (x, y, pair) => console.log(`${mix}, pair ${pair + 1}: ours ${round(x)}/s, ${peer.name} ${round(y)}/s`),
        );
        const isBest = peer === best;
        const target = isBest ? '>= 1' : mix === 'lognormal' ? '>= 1.05' : '>= 1';
        figures.push({
          name: `B1 ${mix} over ${isBest ? 'best static' : 'no batching'}`,
          ratio: ratioOf(a, b),
          target,
          meaning: `rows/s of a bulk run over ${peer.name}; median ${round(median(a))}/s`,
        });
      }
      figures.push(...(await overOracle(track, mix, pairs, rate)));
    }
    return figures;
  } finally {
    await track.close();
  }
}

/** Over the mean of what the oracle could do just before and just after; beside it, had each of its calls been the fastest. */
async function overOracle(
  track: RealTrack,
  mix: LengthMix,
  pairs: number,
  rate: (contender: Contender) => Promise<number>,
): Promise<Figure[]> {
  const oracle = (callMs: CallMs) => oracleRate(callMs, lengthMixes[mix], lanes, { withOverhead: false });
  const [usual, luckiest]: [number[], number[]] = [[], []];
  for (let pair = 0; pair < pairs; pair++) {
    const before = await measureTables(track);
    const mine = await rate(ours);
    const use = shares(track.use);
    const after = await measureTables(track);
    const [first, last] = [oracle(before.usual), oracle(after.usual)];
    usual.push((2 * mine) / (first + last));
    luckiest.push(mine / Math.max(oracle(before.luckiest), oracle(after.luckiest)));
    console.log(`${mix}, oracle ${pair + 1}: ours ${round(mine)}/s, oracle ${round(first)} and ${round(last)}/s`);
    console.log(`  of the lanes' time ${use}`);
  }
  const share = (ratios: readonly number[]) =>
    ratioOf(
      ratios,
      ratios.map(() => 1),
    );
  const name = `B1 ${mix} over`;
  return [
    { name: `${name} oracle`, ratio: share(usual), target: '>= 0.95', meaning: 'rows/s over the exact partition' },
    { name: `${name} luckiest`, ratio: share(luckiest), target: '', meaning: 'the same, each call the fastest of six' },
  ];
}

function shares({ engine, messages, between, calls }: RealTrack['use']): string {
  const percent = (share: number) => `${(100 * share).toFixed(1)} %`;
  return `${percent(engine)} in the engine, ${percent(messages)} messages, ${percent(between)} between ${calls} calls`;
}

/** A sweep of short blocks; the best two are tried again. */
async function bestStatic(rate: (contender: Contender) => Promise<number>): Promise<Contender> {
  const tried: { contender: Contender; rate: number }[] = [];
  for (const contender of staticSettings) tried.push({ contender, rate: await rate(contender) });
  tried.sort((x, y) => y.rate - x.rate);
  const [first, second] = tried as [(typeof tried)[0], (typeof tried)[0]];
  const again = [await rate(first.contender), await rate(second.contender)] as const;
  return again[0] >= again[1] ? first.contender : second.contender;
}
