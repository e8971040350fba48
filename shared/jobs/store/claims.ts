/**
 * Claims in Redis: taking jobs out of a queue for a worker, finding claims that nobody holds any more, and letting those
 * wait again. A claim ends with its job (`finish.lua`); it has no lock: it lasts as long as its worker shows signs of life.
 */
import type { Redis } from 'ioredis';
import { type JobRequest, recordVersion, type StoredInput } from '../job.ts';
import { keys } from '../keys.ts';
import { defineScripts } from './scripts.ts';
import type { Claim, Claims, ClaimWish, Stray } from './words.ts';

/** One script holds Redis for 1 to 2 ms then. */
const claimsAtOnceMax = 64;
/** Of inputs in one reply: 64 jobs of one picture as base64 or a page of text each fit; 256 documents a job do not. */
const inputBytesMax = 4 * 2 ** 20;

/** Up to 64, fewer when their inputs are large: whoever has room for more asks again. */
export async function claimJobs(redis: Redis, { queue, worker, max, versions }: ClaimWish): Promise<Claims> {
  const [dueMs, ...claims] = await defineScripts(redis).mrClaim(
    [keys.startBy, keys.outbox],
    [queue, worker, Math.min(max, claimsAtOnceMax), inputBytesMax, recordVersion, ...versions],
  );
  return { claims: claims.map(readClaim), dueInMs: dueMs < 0 ? null : dueMs };
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
