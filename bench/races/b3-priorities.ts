/**
 * B3: what an endless bulk run does to somebody who waits. High rows come at a share rho of what lone calls could do; their
 * p99 over that without bulk, and the bulk rate over (1 - rho) of B1's.
 */
import type { BenchOptions } from '../method/options.ts';
import { type Ratio, ratioOf } from '../method/ratio.ts';
import { type Figure, finish, printTable, round } from '../method/report.ts';
import { type Contender, ours, peers } from '../peers/contenders.ts';
import { findSubject } from '../pipeline/subjects.ts';
import { deviceOf } from '../simulator/devices.ts';
import { lengthMixes } from '../simulator/lengths.ts';
import { bulkRun, poisson, rowKind } from '../simulator/loads.ts';
import { measure } from '../simulator/measures.ts';
import { loneRate } from '../simulator/oracle.ts';
import { createRandom } from '../simulator/random.ts';
import { bulkRate } from './b1-offline.ts';
import { measureTables } from './measure-table.ts';
import { RealTrack } from './real-track.ts';
import { SimulatedTrack } from './simulated-track.ts';
import type { Track } from './track.ts';

const lanes = 2;
const mix = 'lognormal';
const shares = [0.1, 0.35, 0.7] as const;
const levelMs = 150;

export interface Mixed {
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly aloneMs: number;
  readonly bulkPerSecond: number;
}

export async function benchB3(options: BenchOptions): Promise<void> {
  const simulated = await simulateAll();
  const figures = options.simulateOnly ? [] : await measureReal(options);
  finish('B3', figures, {}, options.keep, { simulated });
}

async function simulateAll(): Promise<Record<string, unknown>> {
  const callMs = deviceOf('minilm-fp32');
  const track = new SimulatedTrack({ lanes, callMs: { m: callMs } });
  const lone = loneRate(callMs, lengthMixes[mix], lanes);
  const kept: Record<string, unknown> = {};
  for (const rho of shares) {
    const rows: (string | number)[][] = [];
    for (const contender of [ours, ...peers]) {
      const result = await runMixed(track, contender, rho * lone, 10_000, 30_000);
      rows.push([contender.name, result.p50Ms, result.p99Ms, result.aloneMs, result.bulkPerSecond]);
      kept[`${rho} ${contender.name}`] = Object.fromEntries(
        Object.entries(result).map(([name, value]) => [name, round(value)]),
      );
    }
    printTable([`simulated: rho ${rho}`, 'p50 ms', 'p99 ms', 'p99 alone', 'bulk rows/s'], rows);
    console.log('');
  }
  return kept;
}

async function runMixed(
  track: Track,
  contender: Contender,
  perSecond: number,
  warmMs: number,
  measuredMs: number,
): Promise<Mixed> {
  const ms = warmMs + measuredMs;
  const span = { fromMs: warmMs, untilMs: ms };
  const high = () => poisson(rowKind(lengthMixes[mix], 'high'), createRandom(7), ms, perSecond);
  const alone = measure(await track.run({ contender, loads: [high()], ms }), span);
  const loads = [high(), bulkRun(lengthMixes[mix], createRandom(8))];
  const ended = await track.run({ contender, loads, ms });
  const { p50Ms, p99Ms } = measure(ended, { ...span, class: 'high' });
  return { p50Ms, p99Ms, aloneMs: alone.p99Ms, bulkPerSecond: measure(ended, { ...span, class: 'bulk' }).perSecond };
}

async function measureReal({ pairs, seconds, only }: BenchOptions): Promise<Figure[]> {
  const track = await RealTrack.open(await findSubject('all-MiniLM-L6-v2'), lanes);
  const figures: Figure[] = [];
  const warmMs = 3000;
  // A 99th percentile wants some hundred rows.
  const measuredMs = 3000 * seconds;
  try {
    for (const rho of shares.filter((share) => String(share).includes(only))) {
      const runs: Mixed[] = [];
      const fullRates: number[] = [];
      for (let pair = 0; pair < Math.ceil(pairs / 2); pair++) {
        const lone = loneRate((await measureTables(track)).usual, lengthMixes[mix], lanes);
        runs.push(await runMixed(track, ours, rho * lone, warmMs, measuredMs));
        fullRates.push(await bulkRate(track, ours, mix, warmMs, measuredMs / 3));
        const { p50Ms, p99Ms, aloneMs, bulkPerSecond } = runs[pair] as Mixed;
        console.log(
          `rho ${rho}, ${pair + 1}: p50 ${round(p50Ms)}, p99 ${round(p99Ms)} ms, alone ${round(aloneMs)}; bulk ${round(bulkPerSecond)}/s`,
        );
      }
      const over = (value: (run: Mixed) => number, base: (run: Mixed, i: number) => number): Ratio =>
        ratioOf(runs.map(value), runs.map(base));
      figures.push(
        {
          name: `B3 ${rho} p99 over alone`,
          ratio: over(
            ({ p99Ms }) => p99Ms,
            ({ aloneMs }) => aloneMs,
          ),
          target: '<= 1.5',
          meaning: 'p99 of high rows beside an endless bulk run, over without it',
        },
        {
          name: `B3 ${rho} p99 over level`,
          ratio: over(
            ({ p99Ms }) => p99Ms,
            () => levelMs,
          ),
          target: '<= 1',
          meaning: `the same over ${levelMs} ms`,
        },
        {
          name: `B3 ${rho} bulk`,
          ratio: over(
            ({ bulkPerSecond }) => bulkPerSecond,
            (_, i) => (1 - rho) * (fullRates[i] as number),
          ),
          target: '>= 0.95',
          meaning: 'bulk rows/s beside them, over (1 - rho) of the whole device',
        },
      );
    }
    return figures;
  } finally {
    await track.close();
  }
}
