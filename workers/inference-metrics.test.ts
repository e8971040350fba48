import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createRegistry } from '../shared/observability/metrics.ts';
import { beginAtZero, createInferenceMetrics } from './inference-metrics.ts';

test('what alerts watch is 0 before the first call: a first call that hangs is stuck, too', async () => {
  const registry = createRegistry('worker', 'test');
  beginAtZero(createInferenceMetrics(registry), ['lane-0'], ['m']);
  const lines = (await registry.metrics()).split('\n');
  for (const [name, label] of [
    ['inference_compute_seconds_count', 'model="m"'],
    ['inference_lane_ends_total', 'lane="lane-0"'],
    ['inference_suspect_rows_total', 'model="m"'],
    ['inference_dead_letters_total', 'model="m"'],
    ['inference_late_results_total', 'model="m"'],
  ] as const)
    assert.match(lines.find((line) => line.startsWith(`${name}{`) && line.includes(label)) ?? `no ${name}`, / 0$/);
});
