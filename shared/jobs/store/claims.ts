/**
 * Claims in Redis: taking jobs out of a queue for a worker, reading those that were handed to it, finding claims that nobody
 * holds any more, and letting those wait again. A claim ends with its job (`finish.lua`); it has no lock: it lasts as long as
 * its worker shows signs of life.
 */
import type { Redis } from 'ioredis';
import { type JobRequest, recordVersion, type StoredInput } from '../job.ts';
import { keys } from '../keys.ts';
import { defineScripts } from './scripts.ts';
import type { Claim, Claims, ClaimWish, StartedClaim, Stray } from './words.ts';

/** One script holds Redis for 1 to 2 ms then. */
const claimsAtOnceMax = 64;
/** Of inputs in one reply: 64 jobs of one picture as base64 or a page of text each fit; 256 documents a job do not. */
const inputBytesMax = 4 * 2 ** 20;

/** Up to 64, fewer when their inputs are large: whoever has room for more asks again. */
export async function claimJobs(redis: Redis, wish: ClaimWish): Promise<Claims> {
  const { queue, worker, max, versions, takesHandovers = false } = wish;
  const [dueMs, handoverRoom, ...claims] = await defineScripts(redis).mrClaim(
    [keys.startBy, keys.outbox],
    [queue, worker, Math.min(max, claimsAtOnceMax), inputBytesMax, recordVersion, takesHandovers ? 1 : 0, ...versions],
  );
  return { claims: claims.map(readClaim), dueInMs: dueMs < 0 ? null : dueMs, handoverRoom };
}

/** What one message under `keys.handover` holds: jobs that were started as they were admitted. */
export function readHandover(message: string): StartedClaim[] {
  return (JSON.parse(message) as HandedJob[]).map(({ id, tenant, ms, ...job }) => ({
    ...job,
    state: 'started',
    ref: { tenant, id },
    attempts: 1,
    crashes: 0,
    createdMs: ms,
    startedMs: ms,
    finishedItems: new Set(),
  }));
}

interface HandedJob {
  readonly id: string;
  readonly tenant: string;
  readonly version: string;
  readonly request: JobRequest;
  readonly input: readonly StoredInput[];
  readonly ms: number;
}

/** No more jobs are handed over; those that were and were not read wait again. */
export async function leaveQueue(redis: Redis, queue: string, worker: string): Promise<void> {
  await defineScripts(redis).mrLeave([], [queue, worker]);
}

/** Claims of these queues whose worker does not live, and those of the worker that asks: it knows what it holds. */
export async function listStrays(redis: Redis, worker: string, queues: readonly string[]): Promise<Stray[]> {
  if (queues.length === 0) return [];
  const found = await defineScripts(redis).mrStrays([], [worker, ...queues]);
  return found.map(([queue, id, owner]) => ({ queue, id, owner }));
}

/** They are the next to be claimed. Leaves what ended or was claimed anew; returns how many it put back. */
export async function putBack(redis: Redis, strays: readonly Stray[]): Promise<number> {
  if (strays.length === 0) return 0;
  return await defineScripts(redis).mrPutBack(
    [],
    strays.flatMap(({ queue, id, owner }) => [queue, id, owner]),
  );
}

function readClaim([id, tenant, state, ...rest]: (string | number)[]): Claim {
  const ref = { tenant: tenant as string, id: id as string };
  if (state === 'unsupported') return { state, ref };
  if (state === 'unready') return { state, ref, version: rest[0] as string };
  if (state === 'expired') return { state, ref, request: JSON.parse(rest[0] as string) as JobRequest };
  const [version, request, input, attempts, crashes, createdMs, startedMs, ...finished] = rest;
  return {
    state: 'started',
    ref,
    version: version as string,
    request: JSON.parse(request as string) as JobRequest,
    input: JSON.parse(input as string) as StoredInput[],
    attempts: Number(attempts),
    crashes: Number(crashes),
    createdMs: Number(createdMs),
    startedMs: Number(startedMs),
    finishedItems: new Set(finished.map(Number)),
  };
}
