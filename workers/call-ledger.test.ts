import assert from 'node:assert/strict';
import { beforeEach, test } from 'node:test';
import { createRegistry, type Registry } from '../shared/observability/metrics.ts';
import { CallLedger } from './call-ledger.ts';
import { createInferenceMetrics } from './inference-metrics.ts';
import type { QueuedRow } from './running/running-job.ts';
import type { CallReport } from './scheduling/scheduler.ts';

let registry: Registry;
let ledger: CallLedger;
beforeEach(() => {
  registry = createRegistry('worker', 'test');
  ledger = new CallLedger(registry, createInferenceMetrics(registry));
});

/** The value of a series, by the beginning of its line. */
async function read(series: string): Promise<number> {
  const line = (await registry.metrics()).split('\n').find((each) => each.startsWith(series));
  return line === undefined ? Number.NaN : Number(line.slice(line.lastIndexOf(' ') + 1));
}

const row = (length: number, of: QueuedRow['class']) => ({ length, class: of }) as QueuedRow;
const report = (rows: readonly QueuedRow[]): CallReport => ({
  model: 'm',
  rows,
  computeMs: 30,
  postprocessMs: 2,
  wallMs: 40,
  predictedMs: 20,
});

test('adds up units, padding, and time as it was measured and predicted', async () => {
  ledger.measure(report([row(10, 'high'), row(30, 'bulk')]));
  ledger.measure(report([row(5, 'bulk')]));
  assert.equal(await read('inference_batch_units_total{model="m",kind="real"'), 45);
  assert.equal(await read('inference_batch_units_total{model="m",kind="padding"'), 20);
  assert.equal(await read('inference_batch_padded_units_sum{'), 65);
  assert.equal((await read('inference_call_seconds_total{model="m",kind="measured"')).toFixed(3), '0.080');
  assert.equal((await read('inference_call_seconds_total{model="m",kind="predicted"')).toFixed(3), '0.040');
  assert.equal((await read('inference_postprocess_seconds_sum{')).toFixed(3), '0.004');
});

test('shares the time of a call among the classes of its rows', async () => {
  ledger.measure(report([row(10, 'high'), row(30, 'bulk'), row(1, 'bulk'), row(1, 'bulk')]));
  assert.equal((await read('inference_class_seconds_total{class="high"')).toFixed(3), '0.010');
  assert.equal((await read('inference_class_seconds_total{class="bulk"')).toFixed(3), '0.030');
  assert.equal(await read('inference_class_seconds_total{class="low"'), 0);
});

test('counts a call under way as busy, each time one looks, and stands still between calls', async () => {
  ledger.expect(['lane-0'], ['m']);
  const busy = () => read('inference_lane_busy_seconds_total{lane="lane-0"');
  assert.equal(await busy(), 0);
  ledger.begin('lane-0');
  await new Promise((resolve) => setTimeout(resolve, 20));
  const first = await busy();
  assert.ok(first >= 0.019, `${first}`);
  await new Promise((resolve) => setTimeout(resolve, 5));
  assert.ok((await busy()) > first);
  ledger.end('lane-0');
  const ended = await busy();
  await new Promise((resolve) => setTimeout(resolve, 5));
  assert.equal(await busy(), ended);
});

test('has the series of lanes and models before their first call', async () => {
  ledger.expect(['lane-0', 'lane-1'], ['m']);
  assert.equal(await read('inference_lane_busy_seconds_total{lane="lane-1"'), 0);
  assert.equal(await read('inference_call_seconds_total{model="m",kind="measured"'), 0);
});
