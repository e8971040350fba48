/**
 * The spans of one recorded job while a worker has it: queue wait, and below the run: preparation, batch wait, compute,
 * postprocessing, merging, finish. Kept as data and recorded together when the job is over for this worker, so that a
 * worker that dies leaves no half of a tree. Made for sampled jobs only; knows neither lanes nor Redis.
 */
import type { ModelFiles } from '../../models/repository/model-files.ts';
import type { FinishReply, StartedClaim } from '../../shared/jobs/store/words.ts';
import { mintSpanId, parseTraceparent, type TraceContext } from '../../shared/observability/trace-context.ts';
import { epochMs } from '../../shared/observability/tracing/epoch-clock.ts';
import {
  type Attributes,
  follows,
  type Span,
  type SpanEvent,
  type SpanLink,
  type Tracing,
} from '../../shared/observability/tracing/span.ts';

/** A job of 256 items shows this many items, calls and merges; the run span has the sums of all. */
const detailsMax = 16;

/** What a job had of one engine call. Times by `performance.now()`. */
export interface CallShare {
  readonly engine: SpanLink;
  /** When its first row began to wait. */
  readonly waitedFromMs: number;
  readonly startedMs: number;
  readonly endedMs: number;
  /** The last part of the call; 0 when it did not get that far. */
  readonly postprocessMs: number;
  readonly rows: number;
  readonly attributes: Attributes;
  readonly error: string | undefined;
}

export class JobTrace {
  readonly traceId: string;
  /** Of the run span, which everything else hangs below. */
  readonly runId = mintSpanId();
  readonly jobId: string;
  readonly #tracing: Tracing;
  readonly #rootId: string;
  readonly #claim: StartedClaim;
  readonly #files: ModelFiles;
  readonly #startedMs = performance.now();
  readonly #spans: Span[] = [];
  readonly #events: SpanEvent[] = [];
  readonly #shown = { prepare: 0, compute: 0, merge: 0 };
  readonly #sums = { prepareMs: 0, calls: 0, rows: 0, succeeded: 0, failed: 0, omitted: 0 };
  #outcome: 'succeeded' | 'failed' | 'elsewhere' = 'elsewhere';
  #error: string | undefined;
  #isOver = false;

  private constructor(tracing: Tracing, root: TraceContext, job: { claim: StartedClaim; files: ModelFiles }) {
    this.traceId = root.traceId;
    this.jobId = job.claim.ref.id;
    this.#tracing = tracing;
    this.#rootId = root.spanId;
    this.#claim = job.claim;
    this.#files = job.files;
  }

  /** Null for a job that is not recorded: the usual case. */
  static follow(tracing: Tracing, claim: StartedClaim, files: ModelFiles): JobTrace | null {
    if (!follows(tracing, claim.request.traceparent)) return null;
    const root = parseTraceparent(claim.request.traceparent);
    return root && new JobTrace(tracing, root, { claim, files });
  }

  prepared(item: number, startedMs: number, rows: number, error?: string): void {
    const endedMs = performance.now();
    this.#sums.prepareMs += endedMs - startedMs;
    if (!this.#shows('prepare')) return;
    const attributes = { 'millrace.item': item, 'millrace.rows': rows };
    this.#add({ name: 'prepare', startedMs, endedMs, attributes, error });
  }

  /** Returns the id that the engine's span links to. */
  called(share: CallShare): string {
    this.#sums.calls++;
    this.#sums.rows += share.rows;
    if (!this.#shows('compute')) return this.runId;
    const { startedMs, endedMs, postprocessMs, error } = share;
    const computedMs = Math.max(startedMs, endedMs - postprocessMs);
    const attributes = { ...share.attributes, 'millrace.rows': share.rows };
    this.#add({ name: 'batch wait', startedMs: share.waitedFromMs, endedMs: startedMs });
    const id = this.#add({ name: 'compute', startedMs, endedMs: computedMs, attributes, links: [share.engine], error });
    if (postprocessMs > 0) this.#add({ name: 'postprocess', startedMs: computedMs, endedMs });
    return id;
  }

  merged(item: number, startedMs: number, error?: string): void {
    if (!this.#shows('merge')) return;
    const attributes = { 'millrace.item': item };
    this.#add({ name: 'merge', startedMs, endedMs: performance.now(), attributes, error });
  }

  /** An item's result was written; the write of the last one ends the job. */
  settled(item: number, status: 'succeeded' | 'failed', slug: string, writtenFromMs: number, reply: FinishReply): void {
    // Of a job that ended elsewhere every row of the call under way comes late.
    if (this.#isOver) return;
    this.#sums[status]++;
    if (status === 'failed') this.#note('item failed', { 'millrace.item': item, 'millrace.problem': slug });
    if (reply !== 'job-ended' && reply !== 'late') return;
    const attributes = { 'millrace.reply': reply };
    this.#add({ name: 'finish', startedMs: writtenFromMs, endedMs: performance.now(), attributes });
    if (reply === 'late') return;
    const isFailed = this.#sums.succeeded === 0 && this.#claim.finishedItems.size === 0;
    this.#outcome = isFailed ? 'failed' : 'succeeded';
    if (isFailed) this.#error = slug;
  }

  /** The whole job was ended here, with this problem. */
  failed(slug: string, reply: FinishReply): void {
    if (reply === 'late') return;
    this.#outcome = 'failed';
    this.#error = slug;
  }

  crashed(rows: number): void {
    this.#note('lane died', { 'millrace.rows': rows });
  }

  /** The job is over for this worker. Idempotent; what a call under way still adds is recorded as it comes. */
  end(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#tracing.record([...this.#before(), this.#run(), ...this.#spans.splice(0)]);
  }

  #run(): Span {
    const { request, attempts, crashes } = this.#claim;
    const { prepareMs, calls, rows, succeeded, failed, omitted } = this.#sums;
    return {
      ...this.#child('run', this.#rootId),
      kind: 'consumer',
      spanId: this.runId,
      startMs: epochMs(this.#startedMs),
      endMs: epochMs(performance.now()),
      attributes: {
        'millrace.job.id': this.jobId,
        'millrace.model': this.#files.id,
        'millrace.model_version': this.#files.version,
        'millrace.class': request.priority,
        'millrace.attempt': attempts,
        'millrace.crashes': crashes,
        'millrace.outcome': this.#outcome,
        'millrace.problem': this.#error,
        'millrace.items': request.items,
        'millrace.items.succeeded': succeeded,
        'millrace.items.failed': failed,
        'millrace.prepare_ms': prepareMs,
        'millrace.calls': calls,
        'millrace.rows': rows,
        'millrace.details_omitted': omitted,
      },
      events: this.#events,
      error: this.#error,
    };
  }

  /** From admission to the first start, by Redis' clock; and what was lost with a worker that died on the job. */
  #before(): Span[] {
    const { createdMs, startedMs, attempts } = this.#claim;
    const wait = { ...this.#child('queue wait', this.#rootId), startMs: createdMs, endMs: startedMs };
    if (attempts === 1) return [wait];
    const lost = { ...this.#child('lost attempts', this.#rootId), startMs: startedMs, endMs: epochMs(this.#startedMs) };
    return [wait, { ...lost, error: 'worker-lost', attributes: { 'millrace.attempts': attempts - 1 } }];
  }

  #add(draft: Pick<Span, 'name' | 'attributes' | 'links' | 'error'> & { startedMs: number; endedMs: number }): string {
    const { name, startedMs, endedMs, attributes = {}, links = [], error } = draft;
    const times = { startMs: epochMs(startedMs), endMs: epochMs(endedMs) };
    const span: Span = { ...this.#child(name, this.runId), ...times, attributes, links, error };
    if (this.#isOver) this.#tracing.record([span]);
    else this.#spans.push(span);
    return span.spanId;
  }

  #child(name: string, parentId: string) {
    return { name, kind: 'internal' as const, traceId: this.traceId, spanId: mintSpanId(), parentId };
  }

  #shows(kind: 'prepare' | 'compute' | 'merge'): boolean {
    if (this.#shown[kind] < detailsMax) return ++this.#shown[kind] > 0;
    this.#sums.omitted++;
    return false;
  }

  #note(name: string, attributes: Attributes): void {
    if (this.#events.length < detailsMax) this.#events.push({ name, atMs: epochMs(performance.now()), attributes });
    else this.#sums.omitted++;
  }
}
