/**
 * Writes the hash of `shared/jobs/deliveries.ts`: pins an event's content before it is queued, records attempts, unpins
 * after the last. Keeps nothing of a job that was erased.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { attemptField, type DeliveryAttempt, pinnedField } from '../../shared/jobs/deliveries.ts';
import { keys } from '../../shared/jobs/keys.ts';
import type { JobRef } from '../../shared/jobs/store/words.ts';
import type { Redis } from '../../shared/redis/connection.ts';

/** All that an attempt needs, so that it does not need the job's record. */
export interface PinnedEvent {
  readonly url: string;
  /** Absent: the tenant's own. */
  readonly secret?: string;
  readonly traceparent?: string;
  /** Its status; the type without `job.`. */
  readonly event: string;
  readonly body: string;
  /** Of the job: attempts are shown as long as its outcome. */
  readonly retentionSeconds: number;
}

/** Above the 76 hours of the schedule, Retry-After and an outage of ours. */
const pinnedSeconds = 7 * 86_400;
/** Attempts of an event before the end must not go before the outcome does. */
const marginSeconds = 600;
/**
 * A URL that took nothing for an hour, and owes so many events for ten minutes or more, gets no new ones. A dead receiver
 * of a busy tenant would else fill Redis within the three days of its retries (300 jobs/s, 1 KB each: 80 GB), and
 * admission would close for everybody.
 */
const backlogBound = { max: 10_000, patienceMs: 600_000, tookLatelySeconds: 3600 } as const;

export type BacklogBound = { readonly [name in keyof typeof backlogBound]: number };

interface LogRedis extends Redis {
  mrPinEvent(...keysAndArguments: (string | number)[]): Promise<number>;
  mrRecordAttempt(...keysAndArguments: (string | number)[]): Promise<number>;
}

/** An event of a job, and the URL that it is for. */
export interface EventRef extends JobRef {
  readonly seq: number;
  readonly urlHash: string;
}

export type PinVerdict = 'pinned' | 'refused' | 'erased';
const pinVerdicts: readonly PinVerdict[] = ['erased', 'pinned', 'refused'];

const scripts = join(import.meta.dirname, 'scripts');

export class DeliveryLog {
  readonly #redis: LogRedis;
  readonly #bound: BacklogBound;

  constructor(redis: Redis, bound: BacklogBound = backlogBound) {
    const lua = (name: string) => readFileSync(join(scripts, `${name}.lua`), 'utf8');
    redis.defineCommand('mrPinEvent', { numberOfKeys: 4, lua: lua('pin-event') });
    redis.defineCommand('mrRecordAttempt', { numberOfKeys: 3, lua: lua('record-attempt') });
    this.#redis = redis as LogRedis;
    this.#bound = bound;
  }

  /** Durable when it resolves. A refused event gets an entry of attempt 0 in the list that the job shows. */
  async pin(event: EventRef, content: PinnedEvent): Promise<PinVerdict> {
    const { tenant, id, seq } = event;
    const nowMs = Date.now();
    const refusal = describeRefusal(seq, content, nowMs);
    const code = await this.#redis.mrPinEvent(
      ...[keys.deliveries(tenant, id), keys.index(tenant), ...backlogKeys(event)],
      ...[id, pinnedField(seq), JSON.stringify(content), pinnedSeconds],
      ...[backlogMember(event), this.#bound.max, nowMs],
      ...[attemptField(seq, 0), JSON.stringify(refusal), content.retentionSeconds + marginSeconds],
      this.#bound.patienceMs,
    );
    return pinVerdicts[code] ?? 'erased';
  }

  /** null once it was delivered, given up, or its job erased. */
  async readPinned({ tenant, id, seq }: EventRef): Promise<PinnedEvent | null> {
    const json = await this.#redis.hget(keys.deliveries(tenant, id), pinnedField(seq));
    return json === null ? null : (JSON.parse(json) as PinnedEvent);
  }

  async record(event: EventRef, attempt: DeliveryAttempt, retentionSeconds: number): Promise<void> {
    const { tenant, id, seq } = event;
    await this.#redis.mrRecordAttempt(
      ...[keys.deliveries(tenant, id), ...backlogKeys(event)],
      ...[attemptField(seq, attempt.attempt), JSON.stringify(attempt)],
      attempt.next_at === null ? pinnedField(seq) : '',
      ...[pinnedSeconds, retentionSeconds + marginSeconds],
      backlogMember(event),
      attempt.error === null ? this.#bound.tookLatelySeconds : '',
    );
  }

  /** Takes an event without content off its URL's backlog: its job was erased. */
  async forget(event: EventRef): Promise<void> {
    await this.#redis.zrem(backlogKeys(event)[0], backlogMember(event));
  }
}

function backlogKeys({ tenant, urlHash }: EventRef): [backlog: string, tookLately: string] {
  return [keys.webhookBacklog(tenant, urlHash), keys.webhookBacklog(tenant, `${urlHash}:took`)];
}

function backlogMember({ id, seq }: EventRef): string {
  return `${id}-${seq}`;
}

function describeRefusal(seq: number, { url, event }: PinnedEvent, nowMs: number): DeliveryAttempt {
  const at = new Date(nowMs).toISOString();
  const none = { status_code: null, ms: 0, next_at: null };
  return { seq, event, attempt: 0, at, host: new URL(url).host, error: 'backlog-full', ...none };
}
