/**
 * B9: a device with 60 % of the memory that the best calls would need. No row may fail, and the rate must be near that of an
 * oracle under the same cap. Simulated: a call above the cap fails as an allocation does, and takes its time all the same.
 */
import type { BenchOptions } from '../method/options.ts';
import { ratioOf } from '../method/ratio.ts';
import { finish, printTable, round } from '../method/report.ts';
import { type Contender, ours, peers } from '../peers/contenders.ts';
import { type DeviceName, deviceOf } from '../simulator/devices.ts';
import { type LengthMix, lengthMixes } from '../simulator/lengths.ts';
import { bulkRun } from '../simulator/loads.ts';
import { measure } from '../simulator/measures.ts';
import { oracleRate } from '../simulator/oracle.ts';
import { createRandom } from '../simulator/random.ts';
import { SimulatedTrack } from './simulated-track.ts';

/** Padded units of the best calls, 60 % of which fit: about 400 on this CPU, 8,192 on a GPU. */
const cases: readonly { device: DeviceName; mix: LengthMix; lanes: number; unitsMax: number; rows: number }[] = [
  { device: 'minilm-fp32', mix: 'short', lanes: 2, unitsMax: 240, rows: 1024 },
  { device: 'minilm-fp32', mix: 'lognormal', lanes: 2, unitsMax: 256, rows: 1024 },
  { device: 'gpu', mix: 'lognormal', lanes: 1, unitsMax: 4900, rows: 2048 },
];
const warmMs = 5000;
const measuredMs = 15_000;

export async function benchB9({ pairs, keep }: BenchOptions): Promise<void> {
  const rows: (string | number)[][] = [];
  const shares: number[] = Array(pairs).fill(Number.POSITIVE_INFINITY);
  let failed = 0;
  for (const one of cases) {
    const label = `${one.device}, ${one.mix}, at most ${one.unitsMax} padded units`;
    for (const contender of [ours, ...peers.filter(({ name }) => ['FIFO 32', 'TEI', 'Infinity'].includes(name))]) {
      const seeds = contender === ours ? pairs : 1;
      for (let seed = 1; seed <= seeds; seed++) {
        const result = await runCapped(contender, one, seed);
        if (seed === 1) rows.push([`${label}: ${contender.name}`, result.share, result.failed]);
        if (contender !== ours) continue;
        failed += result.failed;
        shares[seed - 1] = Math.min(shares[seed - 1] as number, result.share);
      }
    }
  }
  printTable(['simulated', 'share of the capped oracle', 'failed rows'], rows);
  const ratio = ratioOf(
    shares,
    shares.map(() => 1),
  );
  const meaning = `rows/s over the capped oracle, worst of ${cases.length} devices (simulated); ${failed} rows failed`;
  finish('B9', [{ name: 'B9', ratio, target: '>= 0.9', meaning }], { failed_rows: failed }, keep, { cases: rows });
}

async function runCapped(
  contender: Contender,
  { device, mix, lanes, unitsMax, rows }: (typeof cases)[0],
  seed: number,
) {
  const callMs = deviceOf(device);
  const track = new SimulatedTrack({ lanes, callMs: { m: callMs }, unitsMax }, seed);
  const loads = [bulkRun(lengthMixes[mix], createRandom(seed), 'm', rows)];
  const ended = await track.run({ contender, loads, ms: warmMs + measuredMs });
  const { perSecond } = measure(ended, { fromMs: warmMs, untilMs: warmMs + measuredMs });
  const oracle = oracleRate(callMs, lengthMixes[mix], lanes, { unitsMax });
  return { share: round(perSecond / oracle), failed: ended.filter((one) => one.failed).length };
}
