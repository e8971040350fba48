/**
 * B10: two models on one device. Speech (calls of 60 ms that never join, class high) beside an endless run of embeddings:
 * p99 of speech over that alone plus one call of the other model, and what the other model gets of what is left.
 */
import type { BenchOptions } from '../method/options.ts';
import { ratioOf } from '../method/ratio.ts';
import { finish, printTable, round } from '../method/report.ts';
import { type Contender, ours, peers } from '../peers/contenders.ts';
import { deviceOf } from '../simulator/devices.ts';
import type { CallMs } from '../simulator/latency-table.ts';
import { lengthMixes } from '../simulator/lengths.ts';
import { bulkRun, poisson, rowKind } from '../simulator/loads.ts';
import { measure } from '../simulator/measures.ts';
import { createRandom } from '../simulator/random.ts';
import { SimulatedTrack } from './simulated-track.ts';

const lanes = 2;
/** Half a minute of speech through an encoder. */
const speechMs = 60;
/** Two requests of seven lanes' worth: rho 0.3. */
const speechPerSecond = 10;
const ms = 60_000;
const span = { fromMs: 10_000, untilMs: ms };
/** One quantum: what a running call of the other model may still take when speech comes. */
const quantumMs = 25;

export async function benchB10({ pairs, keep }: BenchOptions): Promise<void> {
  const rows: (string | number)[][] = [];
  const kept: Record<string, unknown> = {};
  for (const contender of [ours, ...peers]) {
    const one = await runBoth(contender, 1);
    rows.push([contender.name, one.aloneMs, one.p99Ms, one.otherPerSecond]);
    kept[contender.name] = one;
  }
  printTable(['simulated', 'speech p99 alone, ms', 'beside embeddings', 'embeddings/s'], rows);
  const p99: number[] = [];
  const allowed: number[] = [];
  for (let seed = 1; seed <= pairs; seed++) {
    const one = await runBoth(ours, seed);
    p99.push(one.p99Ms);
    allowed.push(one.aloneMs + quantumMs);
  }
  const meaning = `p99 of speech beside embeddings, over p99 alone + ${quantumMs} ms (simulated)`;
  finish('B10', [{ name: 'B10', ratio: ratioOf(p99, allowed), target: '<= 1', meaning }], {}, keep, { peers: kept });
}

async function runBoth(contender: Contender, seed: number) {
  const speech: CallMs = (count) => speechMs * count;
  const device = { lanes, callMs: { speech, m: deviceOf('minilm-fp32') } };
  const load = () =>
    poisson(
      rowKind(() => 1, 'high', 'speech'),
      createRandom(seed),
      ms,
      speechPerSecond,
    );
  const alone = await new SimulatedTrack(device, seed).run({ contender, loads: [load()], ms });
  const loads = [load(), bulkRun(lengthMixes.lognormal, createRandom(seed + 10))];
  const both = await new SimulatedTrack(device, seed).run({ contender, loads, ms });
  return {
    aloneMs: round(measure(alone, span).p99Ms),
    p99Ms: round(measure(both, { ...span, model: 'speech' }).p99Ms),
    otherPerSecond: round(measure(both, { ...span, model: 'm' }).perSecond),
  };
}
