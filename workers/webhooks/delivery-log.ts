/**
 * Writes the hash of `shared/jobs/deliveries.ts`: pins an event's content before it is queued, records attempts, unpins
 * after the last. Keeps nothing of a job that was erased.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { attemptField, type DeliveryAttempt, pinnedField } from '../../shared/jobs/deliveries.ts';
import { keys } from '../../shared/jobs/keys.ts';
import type { JobRef } from '../../shared/jobs/store/job-store.ts';
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

interface LogRedis extends Redis {
  mrPinEvent(...keysAndArguments: (string | number)[]): Promise<number>;
  mrRecordAttempt(...keysAndArguments: (string | number)[]): Promise<number>;
}

const scripts = join(import.meta.dirname, 'scripts');

export class DeliveryLog {
  readonly #redis: LogRedis;

  constructor(redis: Redis) {
    const lua = (name: string) => readFileSync(join(scripts, `${name}.lua`), 'utf8');
    redis.defineCommand('mrPinEvent', { numberOfKeys: 2, lua: lua('pin-event') });
    redis.defineCommand('mrRecordAttempt', { numberOfKeys: 1, lua: lua('record-attempt') });
    this.#redis = redis as LogRedis;
  }

  /** Durable when it resolves. */
  async pin(events: readonly { ref: JobRef; seq: number; content: PinnedEvent }[]): Promise<void> {
    await Promise.all(
      events.map(({ ref: { tenant, id }, seq, content }) => {
        const where = [keys.deliveries(tenant, id), keys.index(tenant)];
        return this.#redis.mrPinEvent(...where, id, pinnedField(seq), JSON.stringify(content), pinnedSeconds);
      }),
    );
  }

  /** null once it was delivered, given up, or its job erased. */
  async readPinned({ tenant, id }: JobRef, seq: number): Promise<PinnedEvent | null> {
    const json = await this.#redis.hget(keys.deliveries(tenant, id), pinnedField(seq));
    return json === null ? null : (JSON.parse(json) as PinnedEvent);
  }

  async record({ tenant, id }: JobRef, attempt: DeliveryAttempt, retentionSeconds: number): Promise<void> {
    await this.#redis.mrRecordAttempt(
      keys.deliveries(tenant, id),
      attemptField(attempt.seq, attempt.attempt),
      JSON.stringify(attempt),
      attempt.next_at === null ? pinnedField(attempt.seq) : '',
      pinnedSeconds,
      retentionSeconds + marginSeconds,
    );
  }
}
