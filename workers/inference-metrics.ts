/** Every metric of an inference worker, on its registry. Labels are bounded by models, classes, lanes and slugs. */

import { modelOfUnit } from '../models/repository/model-files.ts';
import {
  Counter,
  Gauge,
  Histogram,
  type Registry,
  rowsBuckets,
  secondsBuckets,
  unitsBuckets,
} from '../shared/observability/metrics.ts';
import { residentBytes } from '../shared/observability/resident-bytes.ts';

export type InferenceMetrics = ReturnType<typeof createInferenceMetrics>;

export function createInferenceMetrics(registry: Registry) {
  return {
    ...stageMetrics(registry),
    ...callMetrics(registry),
    ...stepMetrics(registry),
    upstreamCalls: new Counter({
      name: 'inference_upstream_calls_total',
      help: 'Calls to servers that run models: answered, or what was wrong',
      labelNames: ['model', 'result'],
      registers: [registry],
    }),
    ...endMetrics(registry),
    ...loadMetrics(registry),
  };
}

/** One histogram a stage, in the order in which a job goes through them. */
function stageMetrics(registry: Registry) {
  const seconds = (name: string, help: string, labelNames: string[]) =>
    new Histogram({ name, help, labelNames, buckets: secondsBuckets, registers: [registry] });
  return {
    queueWait: seconds('inference_queue_wait_seconds', 'From admission to claim', ['model', 'class']),
    prepare: seconds('inference_prepare_seconds', 'One item to rows: fetch, decode, tokenise', ['model']),
    batchWait: seconds('inference_batch_wait_seconds', 'From prepared row to engine call', ['model', 'class']),
    compute: seconds('inference_compute_seconds', 'One engine call', ['model']),
    postprocess: seconds('inference_postprocess_seconds', 'Outputs of one call to results', ['model']),
    finish: seconds('inference_finish_seconds', 'From a result to its durable record', []),
  };
}

function callMetrics(registry: Registry) {
  const perCall = (name: string, help: string, buckets: number[]) =>
    new Histogram({ name, help, labelNames: ['model'], buckets, registers: [registry] });
  return {
    batchRows: perCall('inference_batch_rows', 'Rows of one engine call', rowsBuckets),
    paddedUnits: perCall('inference_batch_padded_units', 'Units of one engine call, padding included', unitsBuckets),
    costRatio: perCall(
      'inference_cost_error_ratio',
      'Measured over predicted time of a call',
      [0.25, 0.5, 0.7, 0.8, 0.9, 1, 1.1, 1.25, 1.5, 2, 4],
    ),
  };
}

/** Of models that write token by token. */
function stepMetrics(registry: Registry) {
  const registers = [registry];
  return {
    tokens: new Counter({
      name: 'inference_tokens_total',
      help: 'Tokens written',
      labelNames: ['model'],
      registers,
    }),
    evictions: new Counter({
      name: 'inference_evictions_total',
      help: 'Rows that were being written and lost their place: to a higher class, by cancellation, with their lane',
      labelNames: ['model', 'reason'],
      registers,
    }),
    step: new Histogram({
      name: 'inference_step_seconds',
      help: 'One step of the decoder; the mean of each call',
      labelNames: ['model'],
      buckets: secondsBuckets,
      registers,
    }),
    stepRows: new Histogram({
      name: 'inference_step_rows',
      help: 'Rows of one step; the mean of each call',
      labelNames: ['model'],
      buckets: rowsBuckets,
      registers,
    }),
  };
}

function endMetrics(registry: Registry) {
  const counter = (name: string, help: string, labelNames: string[]) =>
    new Counter({ name, help, labelNames, registers: [registry] });
  return {
    outcomes: counter('inference_items_total', 'Items by outcome and reason', ['model', 'class', 'outcome', 'reason']),
    late: counter('inference_late_results_total', 'Results thrown away by the fence', ['model']),
    laneEnds: counter('inference_lane_ends_total', 'Lanes that ended unasked', ['lane']),
    suspects: counter('inference_suspect_rows_total', 'Rows on board of a call that killed its lane', ['model']),
    deadLetters: counter('inference_dead_letters_total', 'Items set aside as poison', ['model']),
  };
}

function loadMetrics(registry: Registry) {
  const gauge = (name: string, help: string, labelNames: string[]) =>
    new Gauge({ name, help, labelNames, registers: [registry] });
  return {
    modelReady: gauge('inference_model_ready', '1 while the model can run here', ['model', 'version']),
    modelLoad: gauge('inference_model_load_seconds', 'Last load', ['model']),
    modelMemory: gauge(
      'inference_model_memory_bytes',
      "What the model's last load and canary added to its lane's memory; every lane holds one",
      ['model'],
    ),
    deviceInfo: gauge('inference_device_info', 'Always 1; says what this worker runs on', [
      'device',
      'lanes',
      'threads',
      'layout',
      'provider',
      'cuda_visible_devices',
    ]),
  };
}

/** Series that exist from the start: an alert on growth would miss the first event of one that begins at 1. */
export function beginAtZero(metrics: InferenceMetrics, lanes: readonly string[], models: readonly string[]): void {
  for (const lane of lanes) metrics.laneEnds.inc({ lane }, 0);
  for (const model of models) {
    const counters = [metrics.late, metrics.suspects, metrics.deadLetters, metrics.tokens];
    for (const counter of counters) counter.inc({ model }, 0);
    // LaneStuck asks whether any call has ended: also when the first one hangs.
    metrics.compute.zero({ model });
  }
}

export interface WorkerLevels {
  waitingRows(): number;
  /** Rows that are being written token by token, by unit. */
  liveRows(): ReadonlyMap<string, number>;
  claimedJobs(): number;
  /** Of models that run on servers elsewhere. */
  upstreams(): ReadonlyMap<string, { readonly waiting: number; readonly underWay: number }>;
  readonly lanesWanted: number;
  /** How many lanes have each model. */
  residents(): ReadonlyMap<string, number>;
  /** Living lanes. */
  lanes(): readonly { readonly name: string; readonly pid: number | undefined }[];
}

/** What is read when Prometheus asks, instead of set with every job: it saved 5 us a job. */
export function exposeLevels(registry: Registry, levels: WorkerLevels): void {
  const level = (name: string, help: string, read: () => number) =>
    new Gauge({
      name,
      help,
      registers: [registry],
      collect() {
        this.set(read());
      },
    });
  level('inference_waiting_rows', 'Prepared rows that wait for a lane', levels.waitingRows);
  level('inference_claimed_jobs', 'Jobs held by this worker', levels.claimedJobs);
  level('inference_lanes', 'Lanes that this worker should have', () => levels.lanesWanted);
  level('inference_lanes_alive', 'Lanes whose process lives', () => levels.lanes().length);
  const perModel = (name: string, help: string, read: () => ReadonlyMap<string, number>) =>
    new Gauge({
      name,
      help,
      labelNames: ['model'],
      registers: [registry],
      collect() {
        this.reset();
        for (const [model, value] of read()) this.set({ model }, value);
      },
    });
  new Gauge({
    name: 'inference_upstream_rows',
    help: 'Rows of models on servers elsewhere: waiting for a place, or under way',
    labelNames: ['model', 'state'],
    registers: [registry],
    collect() {
      this.reset();
      for (const [model, { waiting, underWay }] of levels.upstreams()) {
        this.set({ model, state: 'waiting' }, waiting);
        this.set({ model, state: 'under-way' }, underWay);
      }
    },
  });
  perModel('inference_live_rows', 'Rows that are being written token by token', () => sumByModel(levels.liveRows()));
  perModel('inference_model_lanes', 'Lanes that have the model in memory now', levels.residents);
  new Gauge({
    name: 'inference_lane_memory_bytes',
    help: 'Resident memory of a lane process',
    labelNames: ['lane'],
    registers: [registry],
    collect() {
      this.reset();
      for (const { name, pid } of levels.lanes()) {
        const bytes = residentBytes(pid);
        if (bytes !== undefined) this.set({ lane: name }, bytes);
      }
    },
  });
}

/** Versions come and go: dashboards and alerts know models. */
function sumByModel(units: ReadonlyMap<string, number>): ReadonlyMap<string, number> {
  const sums = new Map<string, number>();
  for (const [unit, value] of units) sums.set(modelOfUnit(unit), (sums.get(modelOfUnit(unit)) ?? 0) + value);
  return sums;
}
