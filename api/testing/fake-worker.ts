/** A worker without engine: starts and finishes jobs through the store, as real ones do. */
import { setTimeout as sleep } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { jobClasses, type StoredInput } from '../../shared/jobs/job.ts';
import { queueName } from '../../shared/jobs/keys.ts';
import { encodeOutput } from '../../shared/jobs/output-codec.ts';
import { claimJobs } from '../../shared/jobs/store/claims.ts';
import { JobStore } from '../../shared/jobs/store/job-store.ts';
import type { Claim, JobRef } from '../../shared/jobs/store/words.ts';
import { claimJob } from '../../shared/testing/claim-job.ts';

/** What an item becomes; a thrown Error's message becomes the item's problem. */
export type FakeModel = (input: StoredInput, index: number) => unknown;

/** Claims and finishes one job at once. Returns false when it is gone. */
export async function runJob(redis: Redis, ref: JobRef, model: FakeModel = () => 'done'): Promise<boolean> {
  return await finishClaim(redis, await claimJob(redis, ref), model);
}

async function finishClaim(redis: Redis, claim: Claim | null, model: FakeModel): Promise<boolean> {
  if (claim?.state !== 'started') return false;
  const store = new JobStore(redis);
  for (const [index, input] of claim.input.entries()) {
    const outcome = outcomeOf(model, input, index);
    await store.finish([{ ...claim.ref, kind: 'item', index, computeSeconds: 0.01, ...outcome }]);
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

/** Works off all queues of a model. */
export function startFakeWorker(url: string, model: string, run: FakeModel = () => 'done'): FakeWorker {
  const runs = new Map<string, number>();
  const connection = new Redis(url, { maxRetriesPerRequest: null });
  connection.on('error', () => {});
  let isStopped = false;
  const work = async (queue: string) => {
    while (!isStopped) {
      const wish = { queue, worker: 'fake', max: 50, versions: ['1'] };
      const { claims } = await claimJobs(connection, wish).catch(() => ({ claims: [] }));
      for (const { ref } of claims) runs.set(ref.id, (runs.get(ref.id) ?? 0) + 1);
      await Promise.all(claims.map((claim) => finishClaim(connection, claim, run).catch(() => false)));
      if (claims.length === 0) await sleep(10);
    }
  };
  const working = jobClasses.map((jobClass) => work(queueName(model, jobClass)));
  return {
    runs,
    async stop() {
      isStopped = true;
      connection.disconnect();
      await Promise.all(working);
    },
  };
}
