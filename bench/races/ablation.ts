/**
 * What each decision of the policy is worth: the same loads in the simulator, with nothing in the place of one after the
 * other, and with rules that were considered and left out (waiting for company, probing with double calls).
 */
import { type JobClass, jobClasses } from '../../shared/jobs/job.ts';
import { AdaptivePolicy, type PolicyParts } from '../../workers/scheduling/adaptive-policy.ts';
import { CallLimit } from '../../workers/scheduling/call-limit.ts';
import type { SchedulingPolicy } from '../../workers/scheduling/policy.ts';
import type { BenchOptions } from '../method/options.ts';
import { finish, printTable, round } from '../method/report.ts';
import type { Contender } from '../peers/contenders.ts';
import { deviceOf } from '../simulator/devices.ts';
import { lengthMixes } from '../simulator/lengths.ts';
import { bulkRun, bursty, closedLoop, diurnal, poisson, rowKind } from '../simulator/loads.ts';
import { type Measures, measure } from '../simulator/measures.ts';
import { loneRate, oracleRate } from '../simulator/oracle.ts';
import { createRandom } from '../simulator/random.ts';
import { SimulatedTrack } from './simulated-track.ts';

const lanes = 2;
const ms = 30_000;
const span = { fromMs: 8000, untilMs: ms };
/** From night to noon and back. */
const dayMs = 60_000;
const cpu = deviceOf('minilm-fp32');
const { short, bimodal, lognormal } = lengthMixes;

const without = (name: string, parts: Partial<PolicyParts>): Contender => ({
  name,
  create: (cost) => new AdaptivePolicy(cost, parts),
});
const fixedLimit = (limitMs: number): PolicyParts['limit'] => ({
  limitMs: () => limitMs,
  expectedMsMax: () => limitMs,
  observe() {},
  sawHigh() {},
});

/** Left out: the highest class may be in its own way for as long as anybody. */
class LongHighCalls extends CallLimit {
  override expectedMsMax(...given: Parameters<CallLimit['expectedMsMax']>): number {
    return given[0] === 'high' ? 100 : super.expectedMsMax(...given);
  }
}

const variants: readonly Contender[] = [
  { name: 'as it is', create: (cost) => new AdaptivePolicy(cost) },
  without('first come instead of urgency', {
    urgency: { inTime: (rows) => rows, mostUrgent: <R>(rows: readonly R[]) => rows[0] as R },
  }),
  without('strict classes, no share below', {
    shares: { pick: (waits) => jobClasses.find((name) => waits.has(name)) as JobClass, charge() {} },
  }),
  without('calls up to 100 ms, no quantum', { limit: fixedLimit(100) }),
  { name: 'high calls up to 100 ms', create: (cost) => new AdaptivePolicy(cost, { limit: new LongHighCalls() }) },
  without('calls up to 25 ms, always', { limit: fixedLimit(25) }),
  without('a window of 64 rows', { windows: { rowsMax: () => 64, observe() {}, forget() {} } }),
  without('a window of 256 rows', { windows: { rowsMax: () => 256, observe() {}, forget() {} } }),
  without('long calls on every lane', {
    convoys: { blockedUntilMs: () => null, mustWait: () => false, sawHigh() {} },
  }),
  { name: 'waits 3 ms for company', create: (cost) => waiting(new AdaptivePolicy(cost), 3) },
  { name: 'probes with double calls, 2 %', create: (cost) => probing(new AdaptivePolicy(cost)) },
  { name: 'climbs to a budget of padded units', create: (cost) => new AdaptivePolicy(cost, { memory: new Climb() }) },
];

/** Left out: holds a call back while its oldest row is younger than this and another could come. */
function waiting(policy: AdaptivePolicy, waitMs: number): SchedulingPolicy {
  return {
    choose(view) {
      const oldestMs = view.waiting[0]?.arrivedMs ?? 0;
      if (view.waiting.length < 8 && view.nowMs - oldestMs < waitMs) return { rows: [], wakeMs: oldestMs + waitMs };
      return policy.choose(view);
    },
    ended: (call) => policy.ended(call),
  };
}

/** Left out: one call in fifty takes twice the rows, to see what a larger one would do. */
function probing(policy: AdaptivePolicy): SchedulingPolicy {
  let calls = 0;
  return {
    choose(view) {
      const { rows } = policy.choose(view);
      if (++calls % 50 !== 0) return { rows };
      const [first] = rows;
      const taken = new Set(rows);
      const length = rows.reduce((most, row) => Math.max(most, row.length), 0);
      const more = view.waiting.filter((row) => !taken.has(row) && row.class === first?.class && row.length <= length);
      return { rows: [...rows, ...more.slice(0, rows.length)] };
    },
    ended: (call) => policy.ended(call),
  };
}

/** Left out: a budget of padded units for bulk calls, climbed by what they really yield; the curve has no say in it. */
class Climb {
  #units = 256;
  #trial = 1;
  #calls = 0;
  readonly #yields = new Map<number, { units: number; ms: number }>();
  #lastMs = 0;

  unitsMax(): number {
    return this.#units * this.#trial;
  }

  ran(_model: string, units: number, nowMs: number): void {
    const seen = this.#yields.get(this.#trial) ?? { units: 0, ms: 0 };
    this.#yields.set(this.#trial, { units: seen.units + units, ms: seen.ms + nowMs - this.#lastMs });
    this.#lastMs = nowMs;
    if (++this.#calls % 40 !== 0) return;
    const steps = [1, 0.5, 2];
    const next = steps[steps.indexOf(this.#trial) + 1];
    if (next) this.#trial = next;
    else this.#settle();
  }

  overflowed(): void {}

  forget(): void {}

  #settle(): void {
    const rate = (step: number) => {
      const { units, ms } = this.#yields.get(step) ?? { units: 0, ms: 1 };
      return units / ms;
    };
    const best = [1, 0.5, 2].reduce((a, b) => (rate(b) > 1.02 * rate(a) ? b : a));
    this.#units = Math.max(16, this.#units * best);
    this.#trial = 1;
    this.#yields.clear();
  }
}

async function race(contender: Contender): Promise<number[]> {
  const track = new SimulatedTrack({ lanes, callMs: { m: cpu } });
  const run = async (loads: Parameters<SimulatedTrack['run']>[0]['loads']) => await track.run({ contender, loads, ms });
  const bulk = async (lengths: typeof short): Promise<Measures> =>
    measure(await run([bulkRun(lengths, createRandom(1))]), span);
  const rho = 0.35 * loneRate(cpu, lognormal, lanes);
  const mixed = await run([
    poisson(rowKind(lognormal, 'high'), createRandom(2), ms, rho),
    bulkRun(lognormal, createRandom(3)),
  ]);
  // Bursts of three times the mean, which is 0.4 of the oracle: 1.2 of it for a second in five.
  const bursts = bursty(rowKind(bimodal, 'high'), createRandom(4), ms, 0.4 * oracleRate(cpu, bimodal, lanes));
  const flood = await run([
    poisson(rowKind(short, 'high'), createRandom(5), ms, 1.1 * oracleRate(cpu, short, lanes)),
    bulkRun(short, createRandom(6)),
  ]);
  const convoy = await new SimulatedTrack({ lanes, callMs: { m: cpu, speech: (count) => 600 * count } }).run({
    contender,
    loads: [
      poisson(rowKind(short, 'high'), createRandom(8), ms, 0.2 * oracleRate(cpu, short, lanes)),
      bulkRun(() => 1, createRandom(9), 'speech', 64),
    ],
    ms,
  });
  const few = await run([closedLoop(rowKind(short), createRandom(7), 16, 4)]);
  return [
    (await bulk(short)).perSecond / oracleRate(cpu, short, lanes),
    (await bulk(bimodal)).perSecond / oracleRate(cpu, bimodal, lanes),
    measure(mixed, { ...span, class: 'high' }).p99Ms,
    measure(mixed, { ...span, class: 'bulk' }).perSecond,
    measure(await run([bursts]), span).p99Ms,
    await dayP99(contender),
    inTime(flood),
    measure(flood, { ...span, class: 'bulk' }).perSecond,
    measure(few, span).perSecond,
    await cliffShare(contender),
    measure(convoy, { ...span, class: 'high' }).p99Ms,
    measure(convoy, { ...span, class: 'bulk' }).perSecond,
  ].map(round);
}

/** Half of what the oracle could do over a day, and nearly all of it at noon. */
async function dayP99(contender: Contender): Promise<number> {
  const perSecond = 0.5 * oracleRate(cpu, lognormal, lanes);
  const day = diurnal(rowKind(lognormal, 'high'), createRandom(11), dayMs, perSecond);
  const track = new SimulatedTrack({ lanes, callMs: { m: cpu } });
  const ended = await track.run({ contender, loads: [day], ms: dayMs });
  return measure(ended, { fromMs: span.fromMs, untilMs: dayMs }).p99Ms;
}

/** Bulk on a device whose cache ends at 1,024 padded units, which no smooth curve shows. */
async function cliffShare(contender: Contender): Promise<number> {
  const device = deviceOf('cliff');
  const track = new SimulatedTrack({ lanes, callMs: { m: device } });
  const ended = await track.run({ contender, loads: [bulkRun(lognormal, createRandom(10))], ms });
  return measure(ended, span).perSecond / oracleRate(device, lognormal, lanes);
}

/** Share of high rows that had their result within 150 ms. */
function inTime(ended: Awaited<ReturnType<SimulatedTrack['run']>>): number {
  const high = ended.filter(({ row, endedMs }) => row.class === 'high' && endedMs >= span.fromMs);
  return high.filter(({ row, endedMs }) => endedMs - row.arrivedMs <= 150).length / Math.max(1, high.length);
}

export async function benchAblation({ only, keep }: BenchOptions): Promise<void> {
  const rows: (string | number)[][] = [];
  for (const variant of variants.filter(({ name }) => name.includes(only))) {
    rows.push([variant.name, ...(await race(variant))]);
    console.log(rows.at(-1)?.join(' | '));
  }
  const columns = [
    'bulk short',
    'bulk 70/30',
    'high p99',
    'bulk beside',
    'bursts p99',
    'a day, p99',
    'flood in time',
    'flood bulk',
    '16 clients',
    'bulk, cliff',
    'beside long p99',
    'long bulk',
  ];
  printTable(['simulated, MiniLM fp32', ...columns], rows);
  finish('ablation', [], {}, keep, { columns, rows });
}
