import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Redis } from 'ioredis';
import { createRegistry } from '../../shared/observability/metrics.ts';
import { defineLogMetrics } from './log-metrics.ts';

const depths = { spoolBytes: () => 7, isDatabaseUp: () => true };
const redis = { time: async () => ['100', '0'] } as unknown as Redis;

test('a scrape is answered while Redis is away, without the lag that only Redis knows', {
  timeout: 60_000,
}, async () => {
  const registry = createRegistry('log', 'test');
  defineLogMetrics(registry, redis, { ...depths, oldestMs: () => new Promise(() => {}) });
  const text = await registry.metrics();
  assert.match(text, /^inference_prediction_log_spool_bytes\{.*\} 7$/m);
  assert.doesNotMatch(text, /^inference_prediction_log_lag_seconds\{/m);
});

test('the lag is the age of the oldest entry by the clock of Redis, and 0 when there is none', async () => {
  let oldest: number | null = 98_500;
  const registry = createRegistry('log', 'test');
  defineLogMetrics(registry, redis, { ...depths, oldestMs: async () => oldest });
  assert.match(await registry.metrics(), /^inference_prediction_log_lag_seconds\{.*\} 1\.5$/m);
  oldest = null;
  assert.match(await registry.metrics(), /^inference_prediction_log_lag_seconds\{.*\} 0$/m);
});
