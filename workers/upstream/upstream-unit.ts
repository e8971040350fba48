/**
 * One model behind a server, as this worker has it: what waits, what is under way, whether the server answers. To the rest
 * of the worker it is what a lane is to a model with files: rows go in, outcomes come out, states are told.
 *
 * States: loading (the server is asked whether it runs) -> ready <-> quarantined (it is away, or breaks on everything) or
 * failed (it denies: key, name, URL). While not ready, rows wait; after each pause one is tried, or without rows the server
 * is checked again. A row's own end (cancellation, timeout) ends its call.
 */
import { type ModelFiles, unitOf } from '../../models/repository/model-files.ts';
import type { ChatPipeline } from '../../models/task.ts';
import { Problem, toProblem } from '../../shared/problems/problem.ts';
import { closeOutcome } from '../lane/close-outcome.ts';
import type { ModelDetail, ModelState } from '../lane/lane-pool.ts';
import type { LaneOutcome } from '../lane/lane-protocol.ts';
import type { QueuedRow } from '../running/running-job.ts';
import type { ChatServer, Verdict } from './chat-server.ts';
import { Pace, type Trouble } from './pace.ts';
import { type WaitingCall, WaitingRows } from './waiting-rows.ts';

/** An item that the server broke on so often while it answered others has its answer: it breaks the server. */
const faultsMax = 4;
/** Before a row is asked again that the server broke on; doubles, half either way. */
const againMsFirst = 500;

export interface EndedAsk {
  readonly row: QueuedRow;
  readonly verdict: Verdict;
  readonly startedMs: number;
  readonly endedMs: number;
}

export interface UpstreamEvents {
  /** A call begins: the row waits no longer. */
  onAsk(row: QueuedRow): void;
  /** Before `onRow`. */
  onAsked(ended: EndedAsk): void;
  onRow(row: QueuedRow, outcome: LaneOutcome, ms: number): void;
  onModel(files: ModelFiles, state: ModelState, detail: ModelDetail): void;
}

export interface UpstreamParts {
  readonly server: ChatServer;
  readonly pipeline: ChatPipeline;
  readonly callsMax: number;
  readonly events: UpstreamEvents;
  readonly random?: () => number;
}

export class UpstreamUnit {
  readonly files: ModelFiles;
  readonly name: string;
  readonly #parts: UpstreamParts;
  readonly #pace: Pace;
  readonly #waiting = new WaitingRows();
  readonly #stop = new AbortController();
  /** With what ends each call. */
  readonly #underWay = new Map<QueuedRow, AbortController>();
  #isReady = false;
  #isChecking = false;
  #wake: NodeJS.Timeout | undefined;

  constructor(files: ModelFiles, parts: UpstreamParts) {
    this.files = files;
    this.name = unitOf(files);
    this.#parts = parts;
    this.#pace = new Pace(parts.callsMax, parts.random);
    this.#advance();
  }

  get isReady(): boolean {
    return this.#isReady;
  }

  get waiting(): number {
    return this.#waiting.size;
  }

  get underWay(): number {
    return this.#underWay.size;
  }

  add(rows: readonly QueuedRow[]): void {
    for (const row of rows) this.#waiting.add({ row, faults: 0, notBeforeMs: 0 });
    this.#advance();
  }

  /** What waits goes elsewhere. */
  release(): QueuedRow[] {
    return this.#waiting.empty();
  }

  /** An operator says that what was wrong is mended. */
  retry(): void {
    this.#pace.tryNow();
    this.#advance();
  }

  /** Ends what is under way; nothing is told any more. Gives back the rows that it had. */
  stop(): QueuedRow[] {
    clearTimeout(this.#wake);
    this.#stop.abort();
    this.#parts.server.close();
    for (const [row, end] of this.#underWay) {
      end.abort();
      row.waitsSinceMs = performance.now();
    }
    return [...this.#underWay.keys(), ...this.release()];
  }

  /** Begins what may begin now, and sees to it that the rest is looked at again in time. The one place that begins calls. */
  #advance(): void {
    if (this.#stop.signal.aborted) return;
    clearTimeout(this.#wake);
    const nowMs = performance.now();
    this.#waiting.dropUnwanted();
    const isIdle = this.#waiting.size === 0 && this.#underWay.size === 0;
    if (nowMs < this.#pace.untilMs) this.#wakeAt(this.#pace.untilMs);
    else if (!this.#isReady && isIdle) void this.#check();
    else {
      while (this.#underWay.size < this.#pace.callsAt(nowMs)) {
        const call = this.#waiting.take(nowMs);
        if (!call) break;
        void this.#ask(call);
      }
      if (this.#underWay.size < this.#pace.callsAt(nowMs)) this.#wakeAt(this.#waiting.soonestMs);
    }
  }

  #wakeAt(ms: number): void {
    if (ms === Number.POSITIVE_INFINITY) return;
    this.#wake = setTimeout(() => this.#advance(), Math.max(1, ms - performance.now()));
    this.#wake.unref();
  }

  async #check(): Promise<void> {
    if (this.#isChecking) return;
    this.#isChecking = true;
    const verdict = await this.#parts.server.check(this.#stop.signal);
    this.#isChecking = false;
    if (this.#stop.signal.aborted) return;
    if (verdict === null || !('reason' in verdict)) {
      // Else the first failure after hours of health would pause as long as the last of the outage did.
      this.#pace.succeeded();
      this.#tellReady();
    } else {
      const { kind, reason, retryAfterSeconds = null } = verdict;
      this.#pace.failed(kind, performance.now(), { retryAfterSeconds, isCheck: true });
      this.#tellTrouble(kind, reason);
    }
    this.#advance();
  }

  async #ask(call: WaitingCall): Promise<void> {
    const { row } = call;
    const { events } = this.#parts;
    const end = new AbortController();
    this.#underWay.set(row, end);
    events.onAsk(row);
    const startedMs = performance.now();
    const verdict = await this.#call(row, end).catch(blameItem);
    this.#underWay.delete(row);
    const endedMs = performance.now();
    events.onAsked({ row, verdict, startedMs, endedMs });
    this.#settle(call, verdict, endedMs - startedMs);
    this.#advance();
  }

  async #call({ row, item: { job } }: QueuedRow, end: AbortController): Promise<Verdict> {
    const { server, pipeline } = this.#parts;
    void job.over.then(() => end.abort());
    return await server.ask(pipeline.chat.ask(row), { signal: end.signal, traceparent: job.request.traceparent });
  }

  #settle(call: WaitingCall, verdict: Verdict, ms: number): void {
    const { row } = call;
    if (verdict.kind === 'dropped' || this.#stop.signal.aborted) return;
    if ('reason' in verdict) {
      this.#pace.failed(verdict.kind, performance.now(), { retryAfterSeconds: verdict.retryAfterSeconds ?? null });
      // First: what waits may be taken over when the trouble is told.
      this.#again(call, verdict.kind, verdict.reason, ms);
      if (this.#pace.isTroubled) this.#tellTrouble(verdict.kind, verdict.reason);
      return;
    }
    this.#pace.succeeded();
    if (!this.#isReady) this.#tellReady();
    this.#parts.events.onRow(row, this.#outcomeOf(row, verdict), ms);
  }

  #outcomeOf(row: QueuedRow, verdict: Extract<Verdict, { kind: 'answered' | 'item' }>): LaneOutcome {
    if (verdict.kind === 'item') return { problem: verdict.problem.toDetails() };
    const { pipeline } = this.#parts;
    try {
      const outcome = pipeline.chat.read(row.row, verdict.answer);
      return closeOutcome(pipeline, outcome, { row: row.row, alone: row.item.parts.length === 1 });
    } catch (error) {
      return { problem: toProblem(error, 'inference-failed').toDetails() };
    }
  }

  /** Only what the server broke on counts against the row: of a server that is away it knows nothing. */
  #again({ row, faults }: WaitingCall, kind: Trouble, reason: string, ms: number): void {
    const counted = faults + (kind === 'faulty' ? 1 : 0);
    row.waitsSinceMs = performance.now();
    if (counted >= faultsMax) {
      const detail = `The server that runs the model was asked ${counted} times: ${reason}.`;
      this.#parts.events.onRow(row, { problem: new Problem('upstream-failed', detail).toDetails() }, ms);
      return;
    }
    const { random = Math.random } = this.#parts;
    const pauseMs = againMsFirst * 2 ** Math.max(0, counted - 1) * (0.5 + random());
    this.#waiting.add({ row, faults: counted, notBeforeMs: performance.now() + pauseMs });
  }

  #tellReady(): void {
    this.#isReady = true;
    // A guess of a second per call: the claim budget learns what calls take.
    this.#parts.events.onModel(this.files, 'ready', { canaryMs: 1000 });
  }

  #tellTrouble(kind: Trouble, reason: string): void {
    this.#isReady = false;
    const seconds = Math.ceil(Math.max(0, this.#pace.untilMs - performance.now()) / 1000);
    const said = `its server can not be used: ${reason}; tried again in ${seconds} s`;
    this.#parts.events.onModel(this.files, kind === 'denied' ? 'failed' : 'quarantined', { reason: said });
  }
}

/** A question that can not even be put is its item's fault, or ours; the other rows go on. */
function blameItem(error: unknown): Verdict {
  return { kind: 'item', problem: toProblem(error, 'inference-failed') };
}
