/** Every metric of an inference worker, on its registry. Labels are bounded by models, classes, lanes and slugs. */
import {
  Counter,
  Gauge,
  Histogram,
  type Registry,
  rowsBuckets,
  secondsBuckets,
} from '../shared/observability/metrics.ts';

export type InferenceMetrics = ReturnType<typeof createInferenceMetrics>;

export function createInferenceMetrics(registry: Registry) {
  const registers = [registry];
  const seconds = (name: string, help: string, labelNames: string[]) =>
    new Histogram({ name, help, labelNames, buckets: secondsBuckets, registers });
  return {
    queueWait: seconds('inference_queue_wait_seconds', 'From admission to claim', ['model', 'class']),
    prepare: seconds('inference_prepare_seconds', 'One item to rows: fetch, decode, tokenise', ['model']),
    batchWait: seconds('inference_batch_wait_seconds', 'From prepared row to engine call', ['model', 'class']),
    compute: seconds('inference_compute_seconds', 'One engine call', ['model']),
    batchRows: new Histogram({
      name: 'inference_batch_rows',
      help: 'Rows of one engine call',
      labelNames: ['model'],
      buckets: rowsBuckets,
      registers,
    }),
    units: new Counter({
      name: 'inference_batch_units_total',
      help: 'Units (tokens, samples) of engine calls',
      labelNames: ['model', 'kind'],
      registers,
    }),
    costRatio: new Histogram({
      name: 'inference_cost_error_ratio',
      help: 'Measured over predicted time of a call',
      labelNames: ['model'],
      buckets: [0.25, 0.5, 0.7, 0.8, 0.9, 1, 1.1, 1.25, 1.5, 2, 4],
      registers,
    }),
    outcomes: new Counter({
      name: 'inference_items_total',
      help: 'Items by outcome and reason',
      labelNames: ['model', 'outcome', 'reason'],
      registers,
    }),
    late: new Counter({
      name: 'inference_late_results_total',
      help: 'Results thrown away by the fence',
      labelNames: ['model'],
      registers,
    }),
    laneBusy: new Counter({
      name: 'inference_lane_busy_seconds_total',
      help: 'Time lanes spent in calls',
      labelNames: ['lane'],
      registers,
    }),
    laneEnds: new Counter({
      name: 'inference_lane_ends_total',
      help: 'Lanes that ended unasked',
      labelNames: ['lane'],
      registers,
    }),
    deadLetters: new Counter({
      name: 'inference_dead_letters_total',
      help: 'Items set aside as poison',
      labelNames: ['model'],
      registers,
    }),
    modelReady: new Gauge({
      name: 'inference_model_ready',
      help: '1 while the model can run here',
      labelNames: ['model', 'version'],
      registers,
    }),
    modelLoad: new Gauge({ name: 'inference_model_load_seconds', help: 'Last load', labelNames: ['model'], registers }),
    deviceInfo: new Gauge({
      name: 'inference_device_info',
      help: 'Always 1; says what this worker runs on',
      labelNames: ['device', 'lanes', 'threads'],
      registers,
    }),
  };
}

/** What is read when Prometheus asks, instead of set with every job: it saved 5 us a job. */
export function exposeLevels(registry: Registry, levels: { waitingRows(): number; claimedJobs(): number }): void {
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
}
