/**
 * B2: the highest rate of single requests (Poisson) at which 99 of 100 have their result in time, as a share of what the
 * oracle could do if nobody waited. Found by halving the interval; a rate passes when its p99 is within the level.
 * Ours runs twice: as the peers do, who know nothing of the level, and with jobs whose time is over at it. What comes too
 * late is run all the same and counts.
 */
import type { BenchOptions } from '../method/options.ts';
import { measurePairs, ratioOf } from '../method/ratio.ts';
import { type Figure, finish, printTable, round } from '../method/report.ts';
import { type Contender, ours, peers } from '../peers/contenders.ts';
import { findSubject } from '../pipeline/subjects.ts';
import { deviceOf } from '../simulator/devices.ts';
import { type LengthMix, lengthMixes } from '../simulator/lengths.ts';
import { poisson, rowKind } from '../simulator/loads.ts';
import { measure } from '../simulator/measures.ts';
import { oracleRate } from '../simulator/oracle.ts';
import { createRandom } from '../simulator/random.ts';
import { measureTables } from './measure-table.ts';
import { RealTrack } from './real-track.ts';
import { SimulatedTrack } from './simulated-track.ts';
import type { Track } from './track.ts';

const mixes: readonly LengthMix[] = ['short', 'lognormal', 'bimodal'];
const lanes = 2;
/** A row of 256 tokens alone takes 32 ms of a lane. */
const levelMs = 250;
const warmMs = 3000;
/** The interval is halved this often: to 3 % of the oracle's rate. */
const halvings = 5;

interface Entrant extends Contender {
  /** The time of its jobs; endless when absent. */
  readonly withinMs?: number;
}

const oursTold: Entrant = { ...ours, name: `${ours.name}, told the level`, withinMs: levelMs };

export async function benchB2(options: BenchOptions): Promise<void> {
  const simulated = await simulateAll();
  const figures = options.simulateOnly ? [] : await measureReal(options);
  finish('B2', figures, {}, options.keep, { simulated_share_of_oracle: simulated });
}

async function simulateAll(): Promise<Record<string, number[]>> {
  const callMs = deviceOf('minilm-fp32');
  const everyone = [ours, oursTold, ...peers];
  const shares: Record<string, number[]> = Object.fromEntries(everyone.map(({ name }) => [name, []]));
  for (const mix of mixes) {
    const oracle = oracleRate(callMs, lengthMixes[mix], lanes);
    const track = new SimulatedTrack({ lanes, callMs: { m: callMs } });
    for (const contender of everyone) {
      const rate = await goodput(track, contender, mix, oracle, 20_000);
      shares[contender.name]?.push(round(rate / oracle));
    }
  }
  printTable(
    [`simulated: MiniLM fp32, share of the oracle at p99 <= ${levelMs} ms`, ...mixes],
    Object.entries(shares).map(([name, row]) => [name, ...row]),
  );
  return shares;
}

async function goodput(track: Track, contender: Entrant, mix: LengthMix, oracle: number, measuredMs: number) {
  let [low, high] = [0, oracle];
  for (let round = 0; round < halvings; round++) {
    const rate = (low + high) / 2;
    if (await isInTime(track, contender, mix, rate, measuredMs)) low = rate;
    else high = rate;
  }
  return low;
}

async function isInTime(track: Track, contender: Entrant, mix: LengthMix, perSecond: number, measuredMs: number) {
  const ms = warmMs + measuredMs;
  const { withinMs } = contender;
  const kind = { ...rowKind(lengthMixes[mix], 'high'), ...(withinMs !== undefined && { withinMs }) };
  const load = poisson(kind, createRandom(5), ms, perSecond);
  const ended = await track.run({ contender, loads: [load], ms });
  const { p99Ms, rows } = measure(ended, { fromMs: warmMs, untilMs: ms });
  return p99Ms <= levelMs && rows > 0.95 * perSecond * (measuredMs / 1000);
}

async function measureReal({ pairs, seconds, only }: BenchOptions): Promise<Figure[]> {
  const track = await RealTrack.open(await findSubject('all-MiniLM-L6-v2'), lanes);
  const rivals = peers.filter(({ name }) => name === 'no batching' || name.startsWith('TEI tuned'));
  const figures: Figure[] = [];
  try {
    for (const mix of mixes.filter((name) => name.includes(only))) {
      const shares: number[] = [];
      for (const rival of rivals) {
        const oracle = oracleRate((await measureTables(track)).usual, lengthMixes[mix], lanes, { withOverhead: false });
        const run = (contender: Contender) => goodput(track, contender, mix, oracle, seconds * 1000);
        const { a, b } = await measurePairs(
          Math.ceil(pairs / 2),
          () => run(ours),
          () => run(rival),
          (x, y, pair) => console.log(`${mix}, pair ${pair + 1}: ours ${round(x)}/s, ${rival.name} ${round(y)}/s`),
        );
        shares.push(...a.map((rate) => rate / oracle));
        const meaning = `highest rate with p99 <= ${levelMs} ms, over ${rival.name}`;
        figures.push({ name: `B2 ${mix} over ${rival.name}`, ratio: ratioOf(a, b), target: '>= 1', meaning });
      }
      const ones = shares.map(() => 1);
      const meaning = `highest rate with p99 <= ${levelMs} ms, over what the oracle could do`;
      figures.push({ name: `B2 ${mix} over oracle`, ratio: ratioOf(shares, ones), target: '>= 0.85', meaning });
    }
    return figures;
  } finally {
    await track.close();
  }
}
