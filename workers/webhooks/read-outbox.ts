/**
 * Moves events from the outbox stream to the delivery queue. An entry leaves the stream only after its content is pinned
 * and it is queued, both durably and under ids that follow from the event: whatever dies in between, the entry is read
 * again (by its reader's group, after `claimIdleMs`) and the second time changes nothing.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { type DeliveryJob, deliveryJobId, hashUrl } from '../../shared/jobs/deliveries.ts';
import { isOutcome, type JobStatus } from '../../shared/jobs/job.ts';
import { keys } from '../../shared/jobs/keys.ts';
import { startRetention } from '../../shared/jobs/store/duties.ts';
import type { JobStore } from '../../shared/jobs/store/job-store.ts';
import type { JobEvent, JobRecord } from '../../shared/jobs/store/record.ts';
import type { Logger } from '../../shared/observability/logger.ts';
import { traceIdOf } from '../../shared/observability/trace-context.ts';
import type { Redis } from '../../shared/redis/connection.ts';
import { toFields } from '../../shared/redis/stream-fields.ts';
import { untilAnswered } from '../../shared/redis/until-answered.ts';
import { type BacklogBound, DeliveryLog, type EventRef, type PinnedEvent } from './delivery-log.ts';
import type { DeliveryMetrics, DeliveryResult } from './delivery-metrics.ts';
import { renderEvent } from './render-event.ts';
import type { WebhookQueue } from './webhook-queue.ts';

export interface OutboxReaderOptions {
  readonly redis: Redis;
  readonly store: JobStore;
  readonly queue: WebhookQueue;
  readonly logger: Logger;
  readonly metrics: DeliveryMetrics;
  /** Of the URLs in the job ("https://api.example"). */
  readonly origin: string;
  /** Unique per process. */
  readonly consumer: string;
  /** An entry that a reader holds longer than this is taken over. */
  readonly claimIdleMs?: number;
  readonly backlogBound?: BacklogBound;
}

type Entry = [id: string, fields: string[]];
interface Prepared {
  readonly event: EventRef;
  readonly origin: string;
  /** Attempts made before somebody asked for this event again; undefined when nobody did. */
  readonly made: number | undefined;
}

const group = 'delivery';
const entriesPerRead = 100;
/** An idle reader wakes this often; new entries wake it at once. */
const blockMs = 5000;
const pauseAfterErrorMs = 500;
/** Consumers of processes that were killed, without entries of their own, are forgotten after a day. */
const consumerIdleMs = 86_400_000;

export class OutboxReader {
  readonly #options: OutboxReaderOptions;
  readonly #log: DeliveryLog;
  readonly #claimIdleMs: number;
  readonly #stopping = new AbortController();
  /** Of its own: a blocked read holds up everything else on its connection. */
  #blocking: Redis | undefined;
  #running: Promise<void> | undefined;
  #claimedAtMs = Number.NEGATIVE_INFINITY;
  #readAtMs = Number.NEGATIVE_INFINITY;

  constructor(options: OutboxReaderOptions) {
    this.#options = options;
    this.#log = new DeliveryLog(options.redis, options.backlogBound);
    this.#claimIdleMs = options.claimIdleMs ?? 10_000;
  }

  /** Since the last reading that went through; an idle reader reads every 5 s. */
  get readAgoMs(): number {
    return performance.now() - this.#readAtMs;
  }

  start(): void {
    const blocking = this.#options.redis.duplicate();
    blocking.on('error', () => {}); // The main connection logs the same outage.
    this.#blocking = blocking;
    this.#running = this.#run(blocking);
  }

  /** Resolves when the entries under way are queued. What was read and not queued is taken over by the next reader. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    this.#blocking?.disconnect();
    await this.#running;
  }

  async #run(blocking: Redis): Promise<void> {
    const { signal } = this.#stopping;
    let isFailing = false;
    while (!signal.aborted) {
      try {
        await this.#takeOver();
        await this.#handle(await this.#read(blocking));
        this.#readAtMs = performance.now();
        isFailing = false;
      } catch (error) {
        if (signal.aborted) return;
        if (String(error).includes('NOGROUP') && (await this.#createGroup())) continue;
        if (!isFailing) this.#options.logger.warn({ err: error }, 'outbox: reading failed; trying again');
        isFailing = true;
        await sleep(pauseAfterErrorMs, undefined, { signal }).catch(() => {});
      }
    }
  }

  async #read(blocking: Redis): Promise<Entry[]> {
    const { consumer } = this.#options;
    const streams = ['STREAMS', keys.outbox, '>'] as const;
    const block = Math.min(blockMs, this.#claimIdleMs);
    const count = ['COUNT', entriesPerRead] as const;
    const read = blocking.xreadgroup('GROUP', group, consumer, ...count, 'BLOCK', block, ...streams);
    const reply = await untilAnswered(blocking, block, read);
    return ((reply as [string, Entry[]][] | null)?.[0]?.[1] ?? []) as Entry[];
  }

  /** From the start of the stream: events of before the first delivery process are delivered too. */
  async #createGroup(): Promise<boolean> {
    const created = this.#options.redis.xgroup('CREATE', keys.outbox, group, '0', 'MKSTREAM');
    return await created.then(
      () => true,
      () => false,
    );
  }

  /** Entries that a killed process had read, or that could not be queued. */
  async #takeOver(): Promise<void> {
    if (performance.now() - this.#claimedAtMs < this.#claimIdleMs) return;
    const { redis, consumer } = this.#options;
    let cursor = '0-0';
    do {
      const idle = this.#claimIdleMs;
      const reply = await redis.xautoclaim(keys.outbox, group, consumer, idle, cursor, 'COUNT', entriesPerRead);
      const [next, entries] = reply as [string, Entry[]];
      await this.#handle(entries);
      cursor = next;
    } while (cursor !== '0-0' && !this.#stopping.signal.aborted);
    await this.#forgetConsumers();
    this.#claimedAtMs = performance.now();
  }

  async #handle(entries: readonly Entry[]): Promise<void> {
    if (entries.length === 0) return;
    const { redis, queue } = this.#options;
    const looked = await Promise.all(entries.map((entry) => this.#prepare(entry)));
    const prepared = looked.filter((event) => typeof event === 'object');
    await queue.addBulk(prepared.map(toQueued));
    const handled = entries.filter((_, i) => looked[i] !== 'later').map(([id]) => id);
    if (handled.length > 0) {
      await redis
        .multi()
        .xack(keys.outbox, group, ...handled)
        .xdel(keys.outbox, ...handled)
        .exec();
    }
  }

  /** Pins the event's content. `later`: another release, or this one after an error, reads the entry. */
  async #prepare([entryId, flat]: Entry): Promise<Prepared | 'done' | 'later'> {
    const fields = toFields(flat);
    const ref = { tenant: fields['t'] ?? '', id: fields['i'] ?? '' };
    const event = { seq: Number(fields['n']), name: fields['s'] as JobStatus, atMs: Number.parseInt(entryId, 10) };
    let trace: string | undefined;
    try {
      const record = await this.#options.store.read(ref);
      trace = record && record !== 'gone' ? traceIdOf(record.request.traceparent) : undefined;
      if (record === 'gone') this.#options.logger.error({ job: ref.id }, 'outbox: retention was over first');
      if (record === null || record === 'gone') return this.#drop('gone');
      const content = this.#contentOf(record, event);
      if (!content) return this.#drop('gone');
      const { origin } = new URL(content.url);
      const named = { ...ref, seq: event.seq, urlHash: hashUrl(content.url) };
      const verdict = await this.#log.pin(named, content);
      const made = fields['a'] === undefined ? undefined : Number(fields['a']);
      // Who asks for an event again does not prolong the outcome's life.
      if (isOutcome(event.name) && made === undefined)
        await startRetention(this.#options.redis, ref, content.retentionSeconds);
      if (verdict === 'pinned') return { event: named, origin, made };
      return this.#drop(verdict === 'refused' ? 'refused' : 'gone');
    } catch (error) {
      this.#options.logger.warn({ err: error, job: ref.id, trace, seq: event.seq }, 'outbox: event left for later');
      return 'later';
    }
  }

  #drop(result: DeliveryResult): 'done' {
    this.#options.metrics.deliveries.inc({ result });
    return 'done';
  }

  #contentOf(record: JobRecord, event: JobEvent): PinnedEvent | null {
    const { webhook, traceparent, retentionSeconds } = record.request;
    if (!webhook) return null;
    return {
      url: webhook.url,
      ...(webhook.secret && { secret: webhook.secret }),
      ...(traceparent && { traceparent }),
      event: event.name,
      body: renderEvent(record, event, this.#options.origin),
      retentionSeconds,
    };
  }

  async #forgetConsumers(): Promise<void> {
    const { redis, consumer } = this.#options;
    for (const flat of (await redis.xinfo('CONSUMERS', keys.outbox, group)) as (string | number)[][]) {
      const { name, pending, idle } = toFields(flat);
      if (name === consumer || Number(pending) > 0 || Number(idle) < consumerIdleMs) continue;
      await redis.xgroup('DELCONSUMER', keys.outbox, group, name as string);
    }
  }
}

function toQueued({ event: { tenant, id, seq, urlHash }, origin, made }: Prepared) {
  const data: DeliveryJob = { t: tenant, i: id, n: seq, o: origin, u: urlHash, ...(made && { m: made }) };
  return { name: 'deliver', data, opts: { jobId: deliveryJobId(id, seq) } };
}
