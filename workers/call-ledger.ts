/**
 * What engine calls took, per model, class and lane: summed in plain numbers with every call, and turned into metrics
 * when Prometheus asks. A call under way counts up to now, so that a lane that hangs looks busy and not idle.
 */
import { type JobClass, jobClasses } from '../shared/jobs/job.ts';
import { Counter, type Registry } from '../shared/observability/metrics.ts';
import type { InferenceMetrics } from './inference-metrics.ts';
import type { CallReport } from './scheduling/scheduler.ts';
import type { StepReport } from './scheduling/steps/step-calls.ts';

interface ModelSums {
  readonly units: { real: number; padding: number };
  readonly seconds: { measured: number; predicted: number };
}

interface LaneTime {
  busySeconds: number;
  /** When the call under way began; null between calls. */
  sinceMs: number | null;
}

type Sample = readonly [labels: Readonly<Record<string, string>>, value: number];

export class CallLedger {
  readonly #metrics: InferenceMetrics;
  readonly #models = new Map<string, ModelSums>();
  readonly #lanes = new Map<string, LaneTime>();
  readonly #classSeconds = Object.fromEntries(jobClasses.map((name) => [name, 0])) as Record<JobClass, number>;

  constructor(registry: Registry, metrics: InferenceMetrics) {
    this.#metrics = metrics;
    const total = (name: string, help: string, labelNames: string[], read: () => Sample[]) =>
      new Counter({
        name,
        help,
        labelNames,
        registers: [registry],
        collect() {
          this.reset();
          for (const [labels, value] of read()) this.inc(labels, value);
        },
      });
    const perModel = (key: 'units' | 'seconds') =>
      [...this.#models].flatMap(([model, sums]) =>
        Object.entries(sums[key]).map(([kind, value]): Sample => [{ model, kind }, value]),
      );
    total('inference_batch_units_total', 'Units (tokens, samples) of engine calls', ['model', 'kind'], () =>
      perModel('units'),
    );
    total('inference_call_seconds_total', 'Time of engine calls, measured and predicted', ['model', 'kind'], () =>
      perModel('seconds'),
    );
    total('inference_class_seconds_total', "Lane time by class: each row's share of its call", ['class'], () =>
      Object.entries(this.#classSeconds).map(([name, seconds]) => [{ class: name }, seconds]),
    );
    total('inference_lane_busy_seconds_total', 'Time lanes spent in calls, that under way included', ['lane'], () =>
      [...this.#lanes].map(([lane, time]) => [{ lane }, readSeconds(time, performance.now())]),
    );
  }

  begin(lane: string): void {
    const time = this.#lanes.get(lane);
    if (time) time.sinceMs = performance.now();
    else this.#lanes.set(lane, { busySeconds: 0, sinceMs: performance.now() });
  }

  end(lane: string): void {
    const time = this.#lanes.get(lane);
    if (!time) return;
    time.busySeconds = readSeconds(time, performance.now());
    time.sinceMs = null;
  }

  /** Makes the series of lanes and models before their first call, so that their first call is seen as a growth. */
  expect(lanes: readonly string[], models: readonly string[]): void {
    for (const lane of lanes) this.#lanes.set(lane, { busySeconds: 0, sinceMs: null });
    for (const model of models) this.#sumsOf(model);
  }

  measure({ model, rows, computeMs, postprocessMs, wallMs, predictedMs }: CallReport): void {
    const label = { model };
    const padded = rows.length * Math.max(...rows.map((row) => row.length));
    const real = rows.reduce((sum, row) => sum + row.length, 0);
    this.#metrics.compute.observe(label, computeMs / 1000);
    this.#metrics.postprocess.observe(label, postprocessMs / 1000);
    this.#metrics.batchRows.observe(label, rows.length);
    this.#metrics.paddedUnits.observe(label, padded);
    this.#metrics.costRatio.observe(label, wallMs / predictedMs);
    const { units, seconds } = this.#sumsOf(model);
    units.real += real;
    units.padding += padded - real;
    seconds.measured += wallMs / 1000;
    seconds.predicted += predictedMs / 1000;
    for (const row of rows) this.#classSeconds[row.class] += wallMs / 1000 / rows.length;
  }

  /** A call of steps; `model` as metrics name it. */
  measureSteps(model: string, { rows, call }: StepReport): void {
    const label = { model };
    this.#metrics.compute.observe(label, call.computeMs / 1000);
    this.#metrics.tokens.inc(label, call.tokens);
    if (call.steps > 0) {
      this.#metrics.step.observe(label, call.stepMs / 1000 / call.steps);
      this.#metrics.stepRows.observe(label, call.lines / call.steps);
    }
    for (const row of rows) this.#classSeconds[row.class] += call.wallMs / 1000 / rows.length;
  }

  #sumsOf(model: string): ModelSums {
    let sums = this.#models.get(model);
    if (!sums) {
      sums = { units: { real: 0, padding: 0 }, seconds: { measured: 0, predicted: 0 } };
      this.#models.set(model, sums);
    }
    return sums;
  }
}

function readSeconds({ busySeconds, sinceMs }: LaneTime, nowMs: number): number {
  return sinceMs === null ? busySeconds : busySeconds + (nowMs - sinceMs) / 1000;
}
