/**
 * Whether the simulator tells the truth: one trace through real lanes and through the simulator, whose table was measured on
 * those lanes just before and after. Rows a second and p99, simulated over real: 1 where they agree.
 */
import type { BenchOptions } from '../method/options.ts';
import { ratioOf } from '../method/ratio.ts';
import { type Figure, finish, printTable, round } from '../method/report.ts';
import { ours } from '../peers/contenders.ts';
import { findSubject } from '../pipeline/subjects.ts';
import type { CallMs } from '../simulator/latency-table.ts';
import { type LengthMix, lengthMixes } from '../simulator/lengths.ts';
import { bulkRun, bursty, type Load, poisson, rowKind } from '../simulator/loads.ts';
import { type Measures, measure } from '../simulator/measures.ts';
import { oracleRate } from '../simulator/oracle.ts';
import { createRandom } from '../simulator/random.ts';
import { overheadMs } from '../simulator/simulate.ts';
import { measureTables } from './measure-table.ts';
import { RealTrack } from './real-track.ts';
import { SimulatedTrack } from './simulated-track.ts';
import type { Track } from './track.ts';

const lanes = 2;
const warmMs = 3000;

interface Trace {
  readonly name: string;
  /** Whose latency is compared; of a bulk run only the rate is. */
  readonly class: 'high' | 'bulk';
  loads(ms: number, oracle: (mix: LengthMix) => number, seed: number): readonly Load[];
}

const traces: readonly Trace[] = [
  {
    name: 'bulk, lognormal',
    class: 'bulk',
    loads: (_ms, _oracle, seed) => [bulkRun(lengthMixes.lognormal, createRandom(seed))],
  },
  {
    name: 'single rows at half of the oracle, 70/30',
    class: 'high',
    loads: (ms, oracle, seed) => [
      poisson(rowKind(lengthMixes.bimodal, 'high'), createRandom(seed), ms, 0.5 * oracle('bimodal')),
    ],
  },
  {
    name: 'bursts of 1.2 times the oracle, short',
    class: 'high',
    loads: (ms, oracle, seed) => [
      bursty(rowKind(lengthMixes.short, 'high'), createRandom(seed), ms, 0.4 * oracle('short')),
    ],
  },
  {
    name: 'single rows beside bulk, lognormal',
    class: 'high',
    loads: (ms, oracle, seed) => [
      poisson(rowKind(lengthMixes.lognormal, 'high'), createRandom(seed), ms, 0.25 * oracle('lognormal')),
      bulkRun(lengthMixes.lognormal, createRandom(seed + 1)),
    ],
  },
];

export async function benchSimulator({ pairs, seconds, only, keep }: BenchOptions): Promise<void> {
  const track = await RealTrack.open(await findSubject('all-MiniLM-L6-v2'), lanes);
  const figures: Figure[] = [];
  try {
    for (const trace of traces.filter(({ name }) => name.includes(only))) {
      const real: Measures[] = [];
      const simulated: Measures[] = [];
      for (let pair = 0; pair < pairs; pair++) {
        const [lived, played] = await runBoth(track, trace, warmMs + 2000 * seconds, pair + 1);
        real.push(lived);
        simulated.push(played);
      }
      printTable([trace.name, 'rows/s', 'p50 ms', 'p99 ms'], [line('real', real), line('simulated', simulated)]);
      figures.push(...compare(trace, simulated, real));
    }
  } finally {
    await track.close();
  }
  finish('simulator', figures, {}, keep);
}

async function runBoth(track: RealTrack, trace: Trace, ms: number, seed: number): Promise<[Measures, Measures]> {
  const before = (await measureTables(track)).usual;
  const oracle = (mix: LengthMix) => oracleRate(before, lengthMixes[mix], lanes, { withOverhead: false });
  const run = async (on: Track) => {
    const ended = await on.run({ contender: ours, loads: trace.loads(ms, oracle, seed), ms });
    return measure(ended, { fromMs: warmMs, untilMs: ms, class: trace.class });
  };
  const lived = await run(track);
  const after = (await measureTables(track)).usual;
  // The way to a lane and back is in the table already.
  const callMs: CallMs = (rows, length) =>
    Math.max(0.01, (before(rows, length) + after(rows, length)) / 2 - overheadMs);
  return [lived, await run(new SimulatedTrack({ lanes, callMs: { m: callMs } }, seed))];
}

function compare(trace: Trace, simulated: readonly Measures[], real: readonly Measures[]): Figure[] {
  const over = (name: string, read: (measures: Measures) => number): Figure => ({
    name: `${trace.name}: ${name}`,
    ratio: ratioOf(simulated.map(read), real.map(read)),
    target: '0.9 to 1.1',
    meaning: `${name}, simulated over real lanes`,
  });
  const rate = over('rows/s', ({ perSecond }) => perSecond);
  return trace.class === 'bulk' ? [rate] : [rate, over('p99', ({ p99Ms }) => p99Ms)];
}

function line(name: string, all: readonly Measures[]): (string | number)[] {
  const mean = (read: (measures: Measures) => number) =>
    round(all.reduce((sum, one) => sum + read(one), 0) / all.length);
  return [name, mean(({ perSecond }) => perSecond), mean(({ p50Ms }) => p50Ms), mean(({ p99Ms }) => p99Ms)];
}
