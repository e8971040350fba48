/** A worker without engine: starts and finishes jobs through the store, as real ones do. */
import { Worker } from 'bullmq';
import { Redis } from 'ioredis';
import { jobClasses, type StoredInput } from '../../shared/jobs/job.ts';
import { keys, queueName } from '../../shared/jobs/keys.ts';
import { encodeOutput } from '../../shared/jobs/output-codec.ts';
import type { QueuedJob } from '../../shared/jobs/queues.ts';
import { JobStore } from '../../shared/jobs/store/job-store.ts';
import type { JobRef } from '../../shared/jobs/store/words.ts';

/** What an item becomes; a thrown Error's message becomes the item's problem. */
export type FakeModel = (input: StoredInput, index: number) => unknown;

/** Claims and finishes one job at once. Returns false when it is gone. */
export async function runJob(redis: Redis, ref: JobRef, model: FakeModel = () => 'done'): Promise<boolean> {
  const store = new JobStore(redis);
  const [claim] = await store.start([ref], '1');
  if (claim?.state !== 'started') return false;
  for (const [index, input] of claim.input.entries()) {
    await store.finish([{ ...ref, kind: 'item', index, computeSeconds: 0.01, ...outcomeOf(model, input, index) }]);
  }
  return true;
}

function outcomeOf(model: FakeModel, input: StoredInput, index: number) {
  try {
    return { status: 'succeeded', fragment: encodeOutput(model(input, index)) } as const;
  } catch (error) {
    const detail = (error as Error).message;
    const problem = { type: '/problems/inference-failed', title: 'Inference failed', status: 422, detail };
    return { status: 'failed', fragment: JSON.stringify(problem) } as const;
  }
}

export interface FakeWorker {
  /** How often each job was run. */
  readonly runs: Map<string, number>;
  stop(): Promise<void>;
}

/** Works off all queues of a model through BullMQ. */
export function startFakeWorker(url: string, model: string, run: FakeModel = () => 'done'): FakeWorker {
  const runs = new Map<string, number>();
  const connection = new Redis(url, { maxRetriesPerRequest: null });
  connection.on('error', () => {});
  const workers = jobClasses.map((jobClass) => {
    const worker = new Worker<QueuedJob>(
      queueName(model, jobClass),
      async (job) => {
        runs.set(job.id as string, (runs.get(job.id as string) ?? 0) + 1);
        await runJob(connection, { tenant: job.data.t, id: job.id as string }, run);
      },
      { connection, prefix: keys.queuePrefix, concurrency: 50, removeOnComplete: { count: 0 } },
    );
    worker.on('error', () => {});
    return worker;
  });
  return {
    runs,
    async stop() {
      await Promise.all(workers.map((worker) => worker.close(true)));
      connection.disconnect();
    },
  };
}
