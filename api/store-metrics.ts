/**
 * What the API reads from Redis when Prometheus asks: who can run each model, and dead letters. The same in every API
 * process, and there though no worker is.
 */
import { keys } from '../shared/jobs/keys.ts';
import { redisNowMs } from '../shared/jobs/store/duties.ts';
import { askOnce } from '../shared/observability/collect-within.ts';
import { Gauge, type Registry } from '../shared/observability/metrics.ts';
import type { Redis } from '../shared/redis/connection.ts';
import { readModelStates } from './jobs/model-states.ts';

const states = ['ready', 'loading', 'quarantined', 'failed'] as const;

export function exposeStore(registry: Registry, redis: Redis, models: () => readonly string[]): void {
  new Gauge({
    name: 'inference_model_workers',
    help: 'Living workers by what they say of a model.',
    labelNames: ['model', 'state'],
    registers: [registry],
    async collect() {
      this.reset();
      const byModel = await askStates();
      if (!byModel) return;
      for (const model of models())
        for (const state of states)
          this.set({ model, state }, (byModel.get(model) ?? []).filter((worker) => worker.state === state).length);
    },
  });
  const askStates = askOnce(() => readModelStates(redis));
  const askDead = askOnce(() => readDeadLetters(redis));
  new Gauge({
    name: 'inference_dead_letter_jobs',
    help: 'Jobs with items that were set aside as poison; the newest 10,000 are kept.',
    registers: [registry],
    async collect() {
      this.remove();
      const dead = await askDead();
      if (dead) this.set(dead.jobs);
    },
  });
  new Gauge({
    name: 'inference_dead_letter_oldest_seconds',
    help: 'Age of the oldest dead letter; 0 when there is none.',
    registers: [registry],
    async collect() {
      this.remove();
      const dead = await askDead();
      if (dead) this.set(dead.oldestSeconds);
    },
  });
}

async function readDeadLetters(redis: Redis): Promise<{ jobs: number; oldestSeconds: number }> {
  const [jobs, oldest, nowMs] = await Promise.all([
    redis.zcard(keys.dead),
    redis.zrange(keys.dead, '0', '0', 'WITHSCORES'),
    redisNowMs(redis),
  ]);
  const diedMs = Number((oldest as (string | [string, string])[]).flat()[1] ?? nowMs);
  return { jobs, oldestSeconds: Math.max(0, nowMs - diedMs) / 1000 };
}
