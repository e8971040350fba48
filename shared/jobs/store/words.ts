/** What the job store is asked, and what it answers. Types only; `job-store.ts` does it. */
import type { JobRequest, Outcome, StoredInput } from '../job.ts';

/** Names a job among tenants. */
export interface JobRef {
  readonly tenant: string;
  readonly id: string;
}

/** What is noted of one input for the record of predictions: kind, SHA-256 (hex), and size in the unit of its task. */
export type InputMark = readonly [kind: StoredInput['kind'], sha256: string, length: number | null];

/** What the record of predictions keeps of an input. */
export const inputPolicies = ['none', 'hash', 'full'] as const;
export type InputPolicy = (typeof inputPolicies)[number];

/** SHA-256 of the caller's key, and of the canonical body. */
export interface IdempotencyHashes {
  readonly keyHash: string;
  readonly bodyHash: string;
}

export interface AdmitOptions {
  readonly input: readonly StoredInput[];
  /** One per input, in order; kept only when the record of predictions asks for it. */
  readonly marks?: readonly InputMark[];
  readonly idempotency?: IdempotencyHashes;
  readonly expiresInSeconds?: number;
  /** Channel of an API process that waits for the end of this job, and is told of that alone. */
  readonly replyChannel?: string;
  /** It may wait so long for others, to be admitted with them. */
  readonly lingerMs?: number;
  readonly queueMax: number;
  readonly tenantMax: number;
}

export interface Admission {
  readonly verdict: 'accepted' | 'existing' | 'conflict' | 'queue-full' | 'tenant-full';
  /** Of the job admitted, or of the one that the idempotency key belongs to. */
  readonly id: string;
  /** By Redis' clock; of an accepted job only. */
  readonly createdMs?: number;
}

/** What a worker gets when it claims a job. But for a started one nothing of the job was changed. */
export type Claim = StartedClaim | UnstartedClaim;

export interface StartedClaim {
  readonly state: 'started';
  readonly ref: JobRef;
  /** Of the model: the one that it is pinned to by this claim. */
  readonly version: string;
  readonly request: JobRequest;
  readonly input: readonly StoredInput[];
  readonly attempts: number;
  /** Engine calls that died with a row of this job in them. */
  readonly crashes: number;
  readonly createdMs: number;
  readonly startedMs: number;
  /** Items that have a result already. */
  readonly finishedItems: ReadonlySet<number>;
}

export type UnstartedClaim =
  /** It waited past its `expires_in`. */
  | { readonly state: 'expired'; readonly ref: JobRef; readonly request: JobRequest }
  /** The version that it wishes is not among those that are ready. */
  | { readonly state: 'unready'; readonly ref: JobRef; readonly version: string }
  /** Written by a release too far from this one. */
  | { readonly state: 'unsupported'; readonly ref: JobRef };

export interface ClaimWish {
  readonly queue: string;
  readonly worker: string;
  readonly max: number;
  /** Of the model: those that are ready, the default first. */
  readonly versions: readonly string[];
  /** Once nothing waits, jobs are handed over (`keys.handover`) until it claims again: what `max` leaves room for. */
  readonly takesHandovers?: boolean;
}

export interface Claims {
  readonly claims: readonly Claim[];
  /** Nothing else waits, and a delayed job is due after so many ms. */
  readonly dueInMs: number | null;
  /** Nothing else waits, and so many jobs may be handed over. */
  readonly handoverRoom: number;
}

/** A claim in Redis that may have no holder any more. */
export interface Stray {
  readonly queue: string;
  readonly id: string;
  /** Worker that claimed it; '' when it is not known. */
  readonly owner: string;
}

/** One result for `finish`: of an item, of the whole job at once (cancel, timeout), or of one that has not started (expiry). */
export interface Finish extends JobRef {
  readonly kind: 'item' | 'job' | 'unstarted';
  readonly status: Outcome;
  readonly index?: number;
  /** JSON of the output when succeeded, else of the problem. */
  readonly fragment: string;
  readonly prepareSeconds?: number;
  readonly computeSeconds?: number;
  readonly batchRows?: number;
  readonly deadLetter?: boolean;
}

export type FinishReply = 'late' | 'item-stored' | 'job-ended' | 'item-known';
