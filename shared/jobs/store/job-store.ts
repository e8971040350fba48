/**
 * Jobs in Redis: every read and write of a record goes through here, as one Lua script each (`scripts/`, which document
 * keys, arguments and replies). Used by the API (admit, read, cancel), workers (finish) and delivery (read).
 * How a worker claims is `claims.ts`.
 */
import type { Redis } from 'ioredis';
import { GroupCommit } from '../../redis/group-commit.ts';
import type { JobClass, JobRequest, JobStatus } from '../job.ts';
import { keys, queueName } from '../keys.ts';
import { referenceTo } from '../queued-job.ts';
import { isInBlob, type JobRecord, parseFinished, parseLive } from './record.ts';
import { defineScripts, type ScriptedRedis } from './scripts.ts';
import type { Admission, AdmitOptions, Finish, FinishReply, IdempotencyHashes, InputPolicy, JobRef } from './words.ts';

interface AdmitEntry {
  readonly request: JobRequest;
  readonly options: AdmitOptions;
}

const finishReplies: readonly FinishReply[] = ['late', 'item-stored', 'job-ended', 'item-known'];

/** A day and an hour: a key is honoured for at least a day, also after the job ended. */
const idempotencySeconds = 90_000;

export class JobStore {
  readonly #redis: ScriptedRedis;
  readonly #readBlob: ((name: string) => Promise<string>) | undefined;
  readonly #recording: InputPolicy | undefined;

  readonly #admissions = new GroupCommit<AdmitEntry, Admission>((entries) => this.#admitAll(entries), 32);

  /**
   * `readBlob` gives the text of a blob; without it, outputs in blobs read as null. With `recording`, ended and erased jobs
   * are told to the log writer, with so much of their inputs.
   */
  constructor(redis: Redis, readBlob?: (name: string) => Promise<string>, recording?: InputPolicy) {
    this.#redis = defineScripts(redis);
    this.#readBlob = readBlob;
    this.#recording = recording;
  }

  /** Requests that arrive together are admitted by one script: it halves the CPU of an admission under load. */
  async admit(request: JobRequest, options: AdmitOptions): Promise<Admission> {
    return await this.#admissions.add({ request, options }, options.lingerMs);
  }

  /** The job that an idempotency key belongs to, without admitting anything; null for a key that is free. */
  async findByKey(
    tenant: string,
    { keyHash, bodyHash }: IdempotencyHashes,
  ): Promise<{ id: string; sameBody: boolean } | null> {
    const known = await this.#redis.get(keys.idempotency(tenant, keyHash));
    const [id, body] = known?.split(' ') ?? [];
    if (id === undefined || (await this.#redis.zscore(keys.index(tenant), id)) === null) return null;
    return { id, sameBody: body === bodyHash };
  }

  async finish(entries: readonly Finish[]): Promise<FinishReply[]> {
    const jobKeys = entries.flatMap(({ tenant, id }) => [
      keys.job(tenant, id),
      keys.items(tenant, id),
      keys.finished(tenant, id),
    ]);
    const replies = await this.#redis.mrFinish(
      [keys.startBy, keys.live, keys.outbox, keys.blobs, keys.dead, keys.predictions, ...jobKeys],
      [
        this.#recording ?? '',
        ...entries.flatMap((e) => [
          e.id,
          e.tenant,
          e.kind,
          e.status,
          e.index ?? 0,
          e.fragment,
          e.prepareSeconds ?? '',
          e.computeSeconds ?? '',
          e.batchRows ?? '',
          e.deadLetter ? 1 : 0,
        ]),
      ],
    );
    return replies.map((code) => finishReplies[code] ?? 'late');
  }

  /** The record; 'gone' once retention is over; null for an unknown id. With a channel, its next events are announced there. */
  async read(ref: JobRef, replyChannel = ''): Promise<JobRecord | 'gone' | null> {
    const record = await this.#readStored(ref, replyChannel);
    return record && record !== 'gone' ? await this.#withOutput(record) : record;
  }

  /** As `read`, for those who look at many jobs: an output that lies in a blob stays there. */
  async readOutline(ref: JobRef): Promise<JobRecord | 'gone' | null> {
    const record = await this.#readStored(ref, '');
    const isElsewhere = record && record !== 'gone' && isInBlob(record.output);
    return isElsewhere ? { ...record, output: null, isOutputOmitted: true } : record;
  }

  async #readStored({ tenant, id }: JobRef, replyChannel: string): Promise<JobRecord | 'gone' | null> {
    const reply = await this.#redis.mrRead(
      [keys.job(tenant, id), keys.finished(tenant, id), keys.index(tenant)],
      [replyChannel, id],
    );
    if (reply[0] === 'live') return parseLive(reply.slice(1));
    if (reply[0] === 'finished') return parseFinished(reply[1] as string);
    return reply[0] === 'gone' ? 'gone' : null;
  }

  /**
   * Moves a large output out of Redis: `write` gets its JSON and gives the blob's name. What is read afterwards is the same.
   * Returns false when the job is gone or has been moved.
   */
  async offload({ tenant, id }: JobRef, write: (json: string) => Promise<string>): Promise<boolean> {
    const doc = await this.#redis.get(keys.finished(tenant, id));
    const parsed = doc === null ? null : (JSON.parse(doc) as { out: unknown });
    if (doc === null || parsed === null || isInBlob(parsed.out)) return false;
    const moved = JSON.stringify({ ...parsed, out: { $blob: await write(JSON.stringify(parsed.out)) } });
    const bytes = Buffer.byteLength(doc);
    return (
      (await this.#redis.mrOffload([keys.finished(tenant, id), keys.blobs], [bytes, moved, `${tenant}/${id}`])) === 1
    );
  }

  /** Newest first: ids with creation ms, created in (afterMs, beforeMs], skipping `skip`. */
  async listIds(
    tenant: string,
    beforeMs: number,
    afterMs: number,
    skip: number,
    limit: number,
  ): Promise<{ id: string; createdMs: number }[]> {
    const flat = (await this.#redis.call(
      'ZREVRANGEBYSCORE',
      keys.index(tenant),
      String(beforeMs),
      `(${afterMs}`,
      'WITHSCORES',
      'LIMIT',
      String(skip),
      String(limit),
    )) as (string | [string, number | string])[];
    return readScored(flat);
  }

  /** False while the job is live: cancel it first. */
  async erase({ tenant, id }: JobRef, idempotencyKey: string | null): Promise<boolean> {
    const reply = await this.#redis.mrErase(
      [
        keys.job(tenant, id),
        keys.finished(tenant, id),
        keys.index(tenant),
        keys.deliveries(tenant, id),
        keys.dead,
        keys.blobs,
        idempotencyKey ?? keys.job(tenant, id),
        keys.predictions,
      ],
      [id, tenant, idempotencyKey ? 1 : 0, this.#recording ? 1 : 0],
    );
    return reply === 1;
  }

  /** Counts an engine crash against these jobs; returns the counts so far. */
  async countCrash(refs: readonly JobRef[]): Promise<number[]> {
    if (refs.length === 0) return [];
    return await this.#redis.mrSuspect(
      refs.map(({ tenant, id }) => keys.job(tenant, id)),
      [],
    );
  }

  async #withOutput(record: JobRecord): Promise<JobRecord> {
    if (!isInBlob(record.output)) return record;
    const json = await this.#readBlob?.(record.output.$blob);
    return { ...record, output: json === undefined ? null : (JSON.parse(json) as unknown) };
  }

  async #admitAll(entries: AdmitEntry[]): Promise<Admission[]> {
    const jobKeys = entries.flatMap(({ request: { tenant, id }, options: { idempotency } }) => [
      keys.job(tenant, id),
      idempotency ? keys.idempotency(tenant, idempotency.keyHash) : keys.job(tenant, id),
      keys.index(tenant),
    ]);
    const replies = await this.#redis.mrAdmit(
      [keys.startBy, keys.live, keys.tenants, keys.blobs, keys.outbox, ...jobKeys],
      entries.flatMap((entry) => admitArguments(entry, this.#recording)),
    );
    return replies.map(([verdict, id, ms]) =>
      ms === undefined ? { verdict, id } : { verdict, id, createdMs: Number(ms) },
    );
  }

  /** Unfinished jobs of a queue, as admission counts them. */
  async liveCount(model: string, jobClass: JobClass): Promise<number> {
    return Number((await this.#redis.hget(keys.live, `q:${queueName(model, jobClass)}`)) ?? 0);
  }
}

function admitArguments({ request, options }: AdmitEntry, recording: InputPolicy | undefined): (string | number)[] {
  const blobs = options.input.some((item) => item.kind === 'blob');
  const isMarked = options.marks && (recording === 'hash' || recording === 'full');
  return [
    request.id,
    request.tenant,
    options.idempotency?.bodyHash ?? '',
    idempotencySeconds,
    JSON.stringify(request),
    JSON.stringify(options.input),
    request.list ? 1 : 0,
    options.expiresInSeconds === undefined ? '' : Math.round(options.expiresInSeconds * 1000),
    queueName(request.model, request.priority),
    `${options.queueMax}/${options.tenantMax}`,
    options.replyChannel === undefined ? '' : `${options.replyChannel}!`,
    blobs ? 1 : 0,
    request.webhook ? `,${request.webhook.events.join(',')},` : '',
    `${request.items}/${request.retentionSeconds}`,
    isMarked ? JSON.stringify(options.marks) : '',
    JSON.stringify(referenceTo(request)),
  ];
}

/** RESP2 gives member, score, member, score; RESP3 gives pairs. */
function readScored(reply: (string | [string, number | string])[]): { id: string; createdMs: number }[] {
  if (Array.isArray(reply[0]))
    return (reply as [string, number | string][]).map(([id, score]) => ({ id, createdMs: Number(score) }));
  const flat = reply as string[];
  return flat.filter((_, i) => i % 2 === 0).map((id, i) => ({ id, createdMs: Number(flat[2 * i + 1]) }));
}

export type { JobRecord, JobStatus };
