/**
 * A lane as its worker sees it: starts the child, loads models, runs one call at a time, and kills it when a call passes
 * its hard limit. Ends exactly once, with `onEnd`; the pool decides what comes next.
 */
import { type ChildProcess, fork } from 'node:child_process';
import { join } from 'node:path';
import { type ModelFiles, unitOf } from '../../models/repository/model-files.ts';
import { BulkFile } from './bulk-tensors.ts';
import { laneEnvironment } from './lane-environment.ts';
import type {
  LaneOptions,
  LaneOutcome,
  LaneReply,
  LaneRequest,
  LaneRow,
  StepOrder,
  StepWork,
  Writes,
} from './lane-protocol.ts';

/** A call that gave no outcomes. `died`: the process ended under it, so its rows are suspects. */
export type LostCall =
  | { readonly kind: 'failed'; readonly reason: string; readonly outOfMemory: boolean }
  | { readonly kind: 'died'; readonly reason: string };

export interface RanCall {
  readonly kind: 'ran';
  readonly outcomes: readonly LaneOutcome[];
  readonly computeMs: number;
  readonly postprocessMs: number;
  readonly cpuMs?: number;
  readonly wallMs: number;
}

export interface SteppedCall extends StepWork {
  readonly kind: 'stepped';
  readonly wallMs: number;
}

/** What a call ended with. */
export type CallResult = RanCall | LostCall;
export type StepResult = SteppedCall | LostCall;

/** A model that a lane has loaded. A load anew is another one. */
export interface LoadedModel {
  /** Null when it takes calls of whole batches. */
  readonly writes: Writes | null;
}

export interface LaneLoad {
  readonly model: string;
  /** Absent when the model failed to load. */
  readonly canaryMs?: number;
  readonly loadMs?: number;
  readonly memoryBytes?: number;
  readonly writes?: Writes | null;
  readonly reason?: string;
}

interface PendingCall {
  readonly call: number;
  readonly startedAt: number;
  readonly timer: NodeJS.Timeout;
  readonly settle: (result: RanCall | SteppedCall | LostCall) => void;
}

interface PendingLoad {
  readonly model: string;
  readonly timer: NodeJS.Timeout;
  readonly settle: (load: LaneLoad | null) => void;
  /** An unload was sent behind it: when the lane says `loaded`, it is about to let go of the model again. */
  isRevoked: boolean;
}

/** As the lane gets it, but for the number of the call. */
type CallRequest =
  | Omit<Extract<LaneRequest, { type: 'run' }>, 'call'>
  | Omit<Extract<LaneRequest, { type: 'step' }>, 'call'>;

const wrongReply: LostCall = { kind: 'failed', reason: 'The lane answered another call.', outOfMemory: false };

/** The real lane; tests put a fake engine in its place. */
export const laneEntry = join(import.meta.dirname, 'lane-main.ts');

/** A load that takes longer than two minutes is a hang: the largest model tried (90 MB) took 0.5 s. */
const loadLimitMs = 120_000;

export class Lane {
  readonly name: string;
  /** Units that it has loaded. */
  readonly models = new Map<string, LoadedModel>();
  onEnd: (reason: string, loading: string | null) => void = () => {};
  readonly #child: ChildProcess;
  /** What is too large for messages. */
  readonly #bulk = new BulkFile();
  #call: PendingCall | null = null;
  #load: PendingLoad | null = null;
  #calls = 0;
  #killReason: string | null = null;
  #ended = false;

  constructor(name: string, options: LaneOptions, entry: string) {
    this.name = name;
    this.#child = fork(entry, [JSON.stringify(options)], {
      serialization: 'advanced',
      stdio: [...this.#bulk.stdio],
      env: laneEnvironment(options, process.env),
    });
    this.#child.on('message', (reply: LaneReply) => this.#receive(reply));
    this.#child.on('error', (error) => this.#end(`lane process error: ${error.message}`));
    this.#child.on('exit', (code, signal) =>
      this.#end(this.#killReason ?? `lane process ended (${signal ?? `exit ${code}`})`),
    );
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  get idle(): boolean {
    return !this.#ended && this.#call === null && this.#load === null;
  }

  /** Loads or replaces a model. Resolves with null when the lane died of it, or has to unload it at once. */
  async load(files: ModelFiles): Promise<LaneLoad | null> {
    return await new Promise((settle) => {
      const timer = setTimeout(() => this.kill(`loading ${files.id} took over ${loadLimitMs} ms`), loadLimitMs);
      this.#load = { model: unitOf(files), timer, settle, isRevoked: false };
      this.#send({ type: 'load', files });
    });
  }

  unload(model: string): void {
    this.models.delete(model);
    if (this.#load?.model === model) this.#load.isRevoked = true;
    this.#send({ type: 'unload', model });
  }

  /** Runs one batch. The lane is killed when `limitMs` pass without an answer. Never rejects. */
  async run(model: string, rows: readonly LaneRow[], limitMs: number): Promise<CallResult> {
    const sent = this.#bulk.send(rows);
    const result = await this.#begin({ type: 'run', model, rows: sent }, `a call of ${rows.length} rows`, limitMs);
    return result.kind === 'stepped' ? wrongReply : result;
  }

  /** Writes on, with rows that come and go. Otherwise as `run`. */
  async step(model: string, order: StepOrder, limitMs: number): Promise<StepResult> {
    const admit = this.#bulk.send(order.admit);
    const result = await this.#begin({ type: 'step', model, ...order, admit }, 'a call of steps', limitMs);
    return result.kind === 'ran' ? wrongReply : result;
  }

  async #begin(request: CallRequest, what: string, limitMs: number): Promise<RanCall | SteppedCall | LostCall> {
    return await new Promise((settle) => {
      const call = ++this.#calls;
      const timer = setTimeout(() => this.kill(`${what} passed its limit of ${Math.round(limitMs)} ms`), limitMs);
      this.#call = { call, startedAt: performance.now(), timer, settle };
      this.#send({ ...request, call });
    });
  }

  kill(reason: string): void {
    this.#killReason ??= reason;
    this.#child.kill('SIGKILL');
  }

  /** Ends the process when it is idle; resolves once it is gone. */
  async stop(): Promise<void> {
    if (this.#ended) return;
    this.onEnd = () => {};
    await new Promise<void>((resolve) => {
      this.#child.once('exit', () => resolve());
      if (this.#child.connected) this.#child.disconnect();
      setTimeout(() => this.kill('did not stop within 2 s'), 2000).unref();
    });
  }

  #send(request: LaneRequest): void {
    if (!this.#child.connected) return; // 'exit' follows and settles whatever waits.
    this.#child.send(request, (error) => {
      if (error) this.kill(`lane does not take messages: ${error.message}`);
    });
  }

  #receive(reply: LaneReply): void {
    if (reply.type === 'loaded' || reply.type === 'load-failed') {
      const load = this.#load;
      if (!load || load.model !== reply.model) return;
      clearTimeout(load.timer);
      this.#load = null;
      if (reply.type === 'loaded' && !load.isRevoked) this.models.set(reply.model, { writes: reply.writes });
      load.settle(reply.type === 'loaded' && load.isRevoked ? null : reply);
      return;
    }
    if (reply.type === 'hello' || this.#call?.call !== reply.call) return;
    const { startedAt, timer, settle } = this.#call;
    clearTimeout(timer);
    this.#call = null;
    const wallMs = performance.now() - startedAt;
    if (reply.type === 'run-failed') settle({ kind: 'failed', reason: reply.reason, outOfMemory: reply.outOfMemory });
    else if (reply.type === 'ran') settle({ ...reply, kind: 'ran', wallMs });
    else settle({ ...reply, kind: 'stepped', wallMs });
  }

  #end(reason: string): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#bulk.close();
    const loading = this.#load?.model ?? null;
    if (this.#load) {
      clearTimeout(this.#load.timer);
      this.#load.settle(null);
    }
    if (this.#call) {
      clearTimeout(this.#call.timer);
      this.#call.settle({ kind: 'died', reason });
    }
    this.onEnd(reason, loading);
  }
}
