/**
 * Enqueues what was admitted but is not known to be in BullMQ: the API was killed, or Redis went away, between the two.
 * Enqueuing an id that BullMQ has already changes nothing, so being wrong is harmless.
 */
import { isOutcome } from '../../shared/jobs/job.ts';
import { listPending, redisNowMs } from '../../shared/jobs/store/duties.ts';
import { recordJobSpan } from '../../shared/observability/tracing/job-span.ts';
import type { DutyParts } from './duty-parts.ts';

/** An API that is well confirms within milliseconds. */
const pendingMsMin = 2000;
const atOnceMax = 500;

export async function reconcile({ redis, store, queues, tracing }: DutyParts): Promise<number> {
  const refs = await listPending(redis, (await redisNowMs(redis)) - pendingMsMin, atOnceMax);
  await Promise.all(
    refs.map(async (ref) => {
      const record = await store.read(ref);
      if (record && record !== 'gone' && !isOutcome(record.status)) {
        const startedMs = performance.now();
        await queues.add(record.request.model, record.request.priority, record.request);
        const attributes = { 'millrace.enqueued_by': 'reconciler' };
        recordJobSpan(tracing, record.request, { name: 'enqueue', startedMs, attributes });
      }
      await store.confirmEnqueued(ref);
    }),
  );
  return refs.length;
}
