/**
 * Takes events from the queue and delivers them: asks the endpoint's gate, sends, records the attempt, and lets BullMQ
 * bring the event back when the schedule says. A process killed in between sends again, under the same webhook-id.
 */
import { DelayedError, type Job, Worker, type WorkerOptions } from 'bullmq';
import { type DeliveryJob, webhookQueueName } from '../../shared/jobs/deliveries.ts';
import { keys } from '../../shared/jobs/keys.ts';
import type { AllowedHosts } from '../../shared/net/url-policy.ts';
import type { Logger } from '../../shared/observability/logger.ts';
import { traceIdOf } from '../../shared/observability/trace-context.ts';
import { noTracing, type Tracing } from '../../shared/observability/tracing/span.ts';
import type { Redis } from '../../shared/redis/connection.ts';
import { type AttemptResult, deliverEvent } from './deliver-event.ts';
import { DeliveryLog, type EventRef, type PinnedEvent } from './delivery-log.ts';
import type { DeliveryMetrics, DeliveryResult } from './delivery-metrics.ts';
import { EndpointGate } from './endpoint-gate.ts';
import { delayBeforeAttemptMs, retrySchedule } from './retry-schedule.ts';
import { traceAttempt } from './trace-attempt.ts';

export interface DeliveryWorkerOptions {
  readonly redis: Redis;
  readonly allowed: AllowedHosts;
  readonly logger: Logger;
  readonly metrics: DeliveryMetrics;
  /** Nothing is recorded when absent. */
  readonly tracing?: Tracing;
  /** Seconds before each attempt. */
  readonly schedule?: readonly number[];
  readonly timeoutMs?: number;
  readonly slots?: number;
  readonly random?: () => number;
}

/** The receiver has 15 s, the least that Standard Webhooks asks to allow. */
const attemptTimeoutMs = 15_000;
/** An attempt in flight is a socket and about 50 KB. */
const slotsDefault = 256;
/**
 * BullMQ's worker fetches one job after the other until its concurrency is reached, and only then starts the first: at
 * 4 ms a durable fetch, 512 slots in one worker began a backlog 2 s late. Eight with 32 each begin after 0.1 s.
 */
const workersDefault = 8;
/**
 * Lock 10 s, looked at every 2.5 s: a killed process's attempts are made again within 15 s (BullMQ's defaults took 60.8 s).
 * Stalls never fail a job (the default fails it after the second): the schedule of retries decides that.
 */
const timings = {
  lockDuration: 10_000,
  stalledInterval: 2500,
  maxStalledCount: 1_000_000,
} as const satisfies Partial<WorkerOptions>;

/** After an error of ours, not of the receiver. */
const oddDelayMs = 5000;

/** Tells BullMQ to bring the event back after `delayMs`; -1 = never. */
class AttemptFailed extends Error {
  readonly delayMs: number;

  constructor(reason: string, delayMs: number | null) {
    super(reason);
    this.delayMs = delayMs ?? -1;
  }
}

export class DeliveryWorker {
  readonly #options: DeliveryWorkerOptions;
  readonly #log: DeliveryLog;
  readonly #gate: EndpointGate;
  readonly #random: () => number;
  readonly #slots: number;
  readonly #workers: Worker<DeliveryJob>[] = [];

  constructor(options: DeliveryWorkerOptions) {
    this.#options = options;
    this.#log = new DeliveryLog(options.redis);
    this.#random = options.random ?? Math.random;
    this.#slots = options.slots ?? slotsDefault;
    this.#gate = new EndpointGate({ slots: this.#slots, random: this.#random });
  }

  get isRunning(): boolean {
    return this.#workers.length > 0 && this.#workers.every((worker) => worker.isRunning());
  }

  start(): void {
    for (let i = 0; i < workersDefault; i++) this.#workers.push(this.#startWorker(i === 0));
  }

  /** Resolves when the attempts under way have ended. */
  async stop(): Promise<void> {
    await Promise.all(this.#workers.map((worker) => worker.close()));
  }

  /** One of them looks for what killed processes held. */
  #startWorker(checksStalled: boolean): Worker<DeliveryJob> {
    const worker = new Worker<DeliveryJob>(webhookQueueName, (job, token) => this.#process(job, token), {
      connection: this.#options.redis,
      skipVersionCheck: true, // The API has looked, and says it once.
      prefix: keys.queuePrefix,
      concurrency: Math.ceil(this.#slots / workersDefault),
      ...timings,
      skipStalledCheck: !checksStalled,
      settings: {
        backoffStrategy: (_made, _type, error) => (error instanceof AttemptFailed ? error.delayMs : oddDelayMs),
      },
    });
    worker.on('error', () => {}); // The connection logs its own errors once.
    return worker;
  }

  async #process(job: Job<DeliveryJob>, token: string | undefined): Promise<void> {
    const { o: origin } = job.data;
    const waitMs = this.#gate.enter(origin, performance.now());
    if (waitMs > 0) {
      await job.moveToDelayed(Date.now() + waitMs, token);
      throw new DelayedError();
    }
    let result: AttemptResult | undefined;
    try {
      const ref = toEventRef(job.data);
      const event = await this.#log.readPinned(ref);
      if (!event) return await this.#forget(ref);
      const { redis, allowed, timeoutMs = attemptTimeoutMs, tracing = noTracing } = this.#options;
      const names = { jobId: ref.id, seq: ref.seq, attempt: attemptOf(job) };
      result = await traceAttempt(tracing, event, names, (sent) =>
        deliverEvent(ref, sent, { redis, allowed, timeoutMs }),
      );
      await this.#settle(job, event, result);
    } finally {
      this.#gate.leave(origin, impressionOf(result), performance.now());
    }
  }

  async #forget(ref: EventRef): Promise<void> {
    await this.#log.forget(ref);
    this.#count('gone');
  }

  /** Records the attempt; throws when the event has to come back, or is given up. */
  async #settle(job: Job<DeliveryJob>, event: PinnedEvent, result: AttemptResult): Promise<void> {
    const ref = toEventRef(job.data);
    const { id, seq } = ref;
    const attempt = job.attemptsMade + 1;
    const schedule = this.#options.schedule ?? retrySchedule;
    const delayMs =
      result.verdict === 'failed'
        ? delayBeforeAttemptMs(attempt + 1, this.#random, result.retryAfterSeconds, schedule)
        : null;
    const nowMs = Date.now();
    await this.#log.record(
      ref,
      {
        seq,
        event: event.event,
        attempt: attemptOf(job),
        at: new Date(nowMs - result.ms).toISOString(),
        host: new URL(event.url).host,
        status_code: result.statusCode,
        error: result.error,
        ms: result.ms,
        next_at: delayMs === null ? null : new Date(nowMs + delayMs).toISOString(),
      },
      event.retentionSeconds,
    );
    if (result.error !== 'disabled') this.#options.metrics.attemptSeconds.observe(result.ms / 1000);
    if (result.verdict !== 'failed') return this.#count(result.verdict);
    this.#count(delayMs === null ? 'dead' : 'retry');
    if (delayMs === null)
      this.#options.logger.warn(
        { job: id, trace: traceIdOf(event.traceparent), seq, attempt, error: result.error },
        'delivery given up',
      );
    throw new AttemptFailed(result.error ?? 'failed', delayMs);
  }

  #count(result: DeliveryResult): void {
    this.#options.metrics.deliveries.inc({ result });
  }
}

/** Counted on when an event that was given up is sent again. */
function attemptOf({ attemptsMade, data }: Job<DeliveryJob>): number {
  return attemptsMade + 1 + (data.m ?? 0);
}

function toEventRef({ t, i, n, u }: DeliveryJob): EventRef {
  return { tenant: t, id: i, seq: n, urlHash: u };
}

function impressionOf(result: AttemptResult | undefined) {
  if (!result || result.error === 'disabled')
    return { ms: 0, answered: true, throttled: false, retryAfterSeconds: null };
  const { ms, throttled, retryAfterSeconds } = result;
  return { ms, throttled, retryAfterSeconds, answered: result.statusCode !== null };
}
