/**
 * One claimed job while this worker has it: which items are still open, and what their rows gave so far. Ends when its
 * outcome is stored, by whomever. Knows neither lanes nor Redis.
 */
import type { ModelFiles } from '../../models/repository/model-files.ts';
import type { Row } from '../../models/task.ts';
import type { JobClass, JobRequest } from '../../shared/jobs/job.ts';
import type { JobRef, StartedClaim } from '../../shared/jobs/store/words.ts';
import { traceIdOf } from '../../shared/observability/trace-context.ts';
import type { WaitingRow } from '../scheduling/policy.ts';
import type { JobTrace } from '../tracing/job-trace.ts';

/** One item under way. */
export interface RunningItem {
  readonly job: RunningJob;
  readonly index: number;
  prepareSeconds: number;
  computeSeconds: number;
  batchRows: number;
  /** Engine calls that died with this item on board. */
  deaths: number;
  parts: unknown[];
  /** Of its rows: `merge` asks for them. */
  contexts: readonly unknown[];
  rowsOpen: number;
  /** Of its rows' tensors. */
  rowBytes: number;
  settled: boolean;
}

/** A row in the scheduler: what a policy sees, and what a lane gets. Its `model` is the unit that the job was pinned to. */
export interface QueuedRow extends WaitingRow {
  readonly row: Row;
  readonly item: RunningItem;
  readonly index: number;
  /** It arrived, or its last call ended without a result for it. `arrivedMs` keeps its place among the others. */
  waitsSinceMs: number;
  suspect: boolean;
  /** Company would change its result. */
  readonly alone: boolean;
}

/** A job that was started more often than this has seen its worker die each time: it runs alone, and its calls are noted. */
const attemptsUnsuspected = 3;

export class RunningJob {
  readonly ref: JobRef;
  readonly request: JobRequest;
  readonly claim: StartedClaim;
  readonly files: ModelFiles;
  /** Null unless the job is recorded. */
  readonly trace: JobTrace | null;
  /** Lane time that its rows took so far: each row's share of its call. */
  laneMs = 0;
  /** Rows that have a result. */
  rows = 0;
  /** Of the results so far, as JSON. */
  resultBytes = 0;
  /** Items without a result. */
  itemsOpen: number;
  /** When its time is over, on the monotonic clock. */
  deadlineMs = Number.POSITIVE_INFINITY;
  /** Of rows whose items have no result yet. */
  #rowBytes = 0;
  #released: PromiseWithResolvers<void> | null = null;
  #aborter: AbortController | null = null;
  #isOver = false;
  readonly #over = Promise.withResolvers<void>();
  #timer: NodeJS.Timeout | undefined;

  constructor(claim: StartedClaim, files: ModelFiles, trace: JobTrace | null = null) {
    this.ref = claim.ref;
    this.trace = trace;
    this.files = files;
    this.claim = claim;
    this.request = claim.request;
    this.itemsOpen = claim.request.items - claim.finishedItems.size;
  }

  get name(): string {
    return nameOf(this.ref);
  }

  /** For the log, whether the job is recorded or not. */
  get traceId(): string | undefined {
    return traceIdOf(this.request.traceparent);
  }

  get class(): JobClass {
    return this.request.priority;
  }

  /** For the preparation of one item: aborts when nothing of this job is wanted any more. */
  get signal(): AbortSignal {
    this.#aborter ??= new AbortController();
    return this.#aborter.signal;
  }

  get isOver(): boolean {
    return this.#isOver;
  }

  /** All items are prepared: nobody listens to the signal, and aborting it would cost 10 us a job. */
  endPreparation(): void {
    this.#aborter = null;
  }

  /** Resolves when the job is over for this worker. */
  get over(): Promise<void> {
    return this.#over.promise;
  }

  openItem(index: number): RunningItem {
    // After a crash of the whole worker only the job's count is left; any of its items may be the one.
    const counted = this.request.items === 1 ? this.claim.crashes : Math.min(1, this.claim.crashes);
    const deaths = counted === 0 && this.claim.attempts > attemptsUnsuspected ? 1 : counted;
    return {
      job: this,
      index,
      prepareSeconds: 0,
      computeSeconds: 0,
      batchRows: 0,
      deaths,
      parts: [],
      contexts: [],
      rowsOpen: 0,
      rowBytes: 0,
      settled: false,
    };
  }

  /** The item is prepared: these are its rows. */
  hold(item: RunningItem, rows: readonly Row[]): void {
    item.parts = new Array(rows.length);
    item.contexts = rows.map(({ context }) => context);
    item.rowsOpen = rows.length;
    for (const { tensors } of rows) for (const { data } of Object.values(tensors)) item.rowBytes += data.byteLength;
    this.#rowBytes += item.rowBytes;
  }

  /** The item has its result, whatever becomes of its rows. */
  release(item: RunningItem): void {
    this.#rowBytes -= item.rowBytes;
    this.#released?.resolve();
    this.#released = null;
  }

  /** Resolves when the rows of items without a result hold so many bytes at most. */
  async untilRowsHold(bytesMax: number): Promise<void> {
    while (this.#rowBytes > bytesMax) {
      this.#released ??= Promise.withResolvers();
      await this.#released.promise;
    }
  }

  /** Calls `onTimeout` unless the job ends within `ms`. */
  limitTo(ms: number, onTimeout: () => void): void {
    this.deadlineMs = performance.now() + ms;
    this.#timer = setTimeout(onTimeout, ms);
  }

  /** Idempotent. */
  end(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    clearTimeout(this.#timer);
    this.#aborter?.abort();
    this.trace?.end();
    this.#over.resolve();
  }
}

/** `<tenant>/<id>`: how other processes name it. */
export function nameOf({ tenant, id }: JobRef): string {
  return `${tenant}/${id}`;
}

export function queueRow(item: RunningItem, row: Row, index: number, model: string, nowMs: number): QueuedRow {
  return {
    row,
    item,
    index,
    model,
    class: item.job.class,
    length: row.length,
    shapeKey: row.shapeKey,
    arrivedMs: nowMs,
    deadlineMs: item.job.deadlineMs,
    waitsSinceMs: nowMs,
    suspect: item.deaths > 0,
    alone: row.alone === true,
  };
}
