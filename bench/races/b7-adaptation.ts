/**
 * B7: how soon the policy is back at what the device can do after the world changed: another mix of lengths, a core taken by
 * a neighbour, a model replaced by one that costs differently. Seconds until the rate of a bulk run, in windows of half a
 * second, is within 10 % of the new oracle's, over the 10 s that are promised. Simulated, since the change must be known.
 * And what a restart costs: `restarts.ts`.
 */
import type { BenchOptions } from '../method/options.ts';
import { median, ratioOf } from '../method/ratio.ts';
import { finish, printTable } from '../method/report.ts';
import { type Contender, ours, peers } from '../peers/contenders.ts';
import { deviceOf } from '../simulator/devices.ts';
import type { CallMs } from '../simulator/latency-table.ts';
import { type Lengths, lengthMixes } from '../simulator/lengths.ts';
import { closedLoop } from '../simulator/loads.ts';
import { measure } from '../simulator/measures.ts';
import { oracleRate } from '../simulator/oracle.ts';
import { createRandom } from '../simulator/random.ts';
import type { EndedRow } from '../simulator/simulate.ts';
import { simulateRestarts } from './restarts.ts';
import { SimulatedTrack } from './simulated-track.ts';

const lanes = 2;
const changeMs = 20_000;
const windowMs = 500;
/** Of windows that are so short the mean of four must be within 10 %: calls of 100 ms make single ones jump. */
const windowsTogether = 4;
const measuredMs = 20_000;
const promisedSeconds = 10;
const within = 0.9;
const bulkRows = 512;

interface Change {
  readonly name: string;
  readonly lengths: (atMs: number) => Lengths;
  readonly callMs: CallMs;
  readonly slowness: (atMs: number) => number;
  /** What the device can do after it, rows/s. */
  readonly oracle: number;
}

function changes(): Change[] {
  const fp32 = deviceOf('minilm-fp32');
  const int8 = deviceOf('minilm-int8');
  const { short, lognormal, bimodal } = lengthMixes;
  const after =
    <T>(before: T, then: T) =>
    (atMs: number) =>
      atMs < changeMs ? before : then;
  const same = after(1, 1);
  let nowMs = 0;
  return [
    {
      name: 'sentences, then documents among them',
      lengths: after(short, bimodal),
      callMs: fp32,
      slowness: same,
      oracle: oracleRate(fp32, bimodal, lanes),
    },
    {
      name: 'documents among sentences, then none',
      lengths: after(bimodal, short),
      callMs: fp32,
      slowness: same,
      oracle: oracleRate(fp32, short, lanes),
    },
    {
      name: 'a core is taken',
      lengths: () => lognormal,
      callMs: fp32,
      slowness: after(1, 2),
      oracle: oracleRate(fp32, lognormal, lanes) / 2,
    },
    {
      name: 'fp32, then int8 under the same name',
      lengths: () => lognormal,
      callMs: (rows, length) => (nowMs < changeMs ? fp32 : int8)(rows, length),
      slowness: (atMs) => {
        nowMs = atMs;
        return 1;
      },
      oracle: oracleRate(int8, lognormal, lanes),
    },
  ];
}

export async function benchB7({ pairs, keep }: BenchOptions): Promise<void> {
  const rows: (string | number)[][] = [];
  const worst: number[] = [];
  for (const change of changes()) {
    const seconds: number[] = [];
    for (let seed = 1; seed <= pairs; seed++) seconds.push(await secondsUntilBack(ours, change, seed));
    const rivals = peers.filter(({ name }) => ['BentoML', 'Clipper'].includes(name));
    const theirs = await Promise.all(rivals.map((rival) => secondsUntilBack(rival, change, 1)));
    rows.push([change.name, median(seconds), Math.max(...seconds), ...theirs.map(orNever)]);
    for (const [i, value] of seconds.entries()) worst[i] = Math.max(worst[i] ?? 0, value);
  }
  printTable(['simulated: seconds until within 10 % of the new oracle', 'median', 'worst', 'BentoML', 'Clipper'], rows);
  const ratio = ratioOf(
    worst,
    worst.map(() => promisedSeconds),
  );
  const meaning = 'worst seconds until within 10 % of the new oracle, of four changes, over 10 s (simulated)';
  const restarts = await simulateRestarts(pairs);
  finish('B7', [{ name: 'B7', ratio, target: '<= 1', meaning }], {}, keep, { changes: rows, restarts });
}

async function secondsUntilBack(contender: Contender, change: Change, seed: number): Promise<number> {
  const device = { lanes, callMs: { m: change.callMs }, slowness: change.slowness };
  const kind = { model: 'm', class: 'bulk', lengths: change.lengths } as const;
  const loads = [closedLoop(kind, createRandom(seed), bulkRows)];
  const ended = await new SimulatedTrack(device, seed).run({ contender, loads, ms: changeMs + measuredMs });
  for (let fromMs = changeMs; fromMs + windowsTogether * windowMs <= changeMs + measuredMs; fromMs += windowMs)
    if (rateOf(ended, fromMs) >= within * change.oracle) return (fromMs - changeMs) / 1000;
  return Number.POSITIVE_INFINITY;
}

function rateOf(ended: readonly EndedRow[], fromMs: number): number {
  return measure(ended, { fromMs, untilMs: fromMs + windowsTogether * windowMs }).perSecond;
}

function orNever(seconds: number): string {
  return Number.isFinite(seconds) ? String(seconds) : 'not in 20 s';
}
