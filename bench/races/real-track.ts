/**
 * A track in real time: the worker's own scheduler and lanes with a real model, without a queue around. The lanes stay
 * from race to race; each race has a scheduler and a cost model of its own, which learns within its warm-up.
 */
import { loadPipelineFactory } from '../../models/discover-tasks.ts';
import { unitOf } from '../../models/repository/model-files.ts';
import type { Row } from '../../models/task.ts';
import { createLogger } from '../../shared/observability/logger.ts';
import { jobRequest } from '../../shared/testing/job-request.ts';
import { waitUntil } from '../../shared/testing/wait-until.ts';
import type { Lane } from '../../workers/lane/lane.ts';
import { LanePool } from '../../workers/lane/lane-pool.ts';
import { type QueuedRow, type RunningItem, RunningJob } from '../../workers/running/running-job.ts';
import { LearnedCostModel } from '../../workers/scheduling/cost-model.ts';
import { type CallReport, Scheduler } from '../../workers/scheduling/scheduler.ts';
import type { Contender } from '../peers/contenders.ts';
import { type Subject, textOf } from '../pipeline/subjects.ts';
import type { Arrival, Load } from '../simulator/loads.ts';
import type { EndedRow } from '../simulator/simulate.ts';
import type { Race, Track } from './track.ts';

/** Rows of every length are made once: tokenising is not what is raced. */
const lengthMax = 256;
const callLimitMs = 60_000;

interface RacingRow extends QueuedRow {
  readonly load: Load;
}

/** No model of a race writes token by token. */
const noSteps = { onSteps() {}, onStepsEnd() {}, onStepReport() {}, onUnwritten() {}, onWritten() {} };

/** What became of the lanes' time in the last race, in shares. */
export interface LaneUse {
  readonly calls: number;
  /** In the engine, and from its outputs to results. */
  readonly engine: number;
  /** From the worker to the lane and back. */
  readonly messages: number;
  /** No call at all: the worker takes results and decides what comes next. */
  readonly between: number;
}

export interface SeenCall {
  readonly rows: number;
  readonly length: number;
  readonly wallMs: number;
  /** Since the race began. */
  readonly endedMs: number;
}

export class RealTrack implements Track {
  readonly lanes: number;
  use: LaneUse = { calls: 0, engine: 0, messages: 0, between: 0 };
  /** Those of the last race. */
  seen: readonly SeenCall[] = [];
  readonly #pool: LanePool;
  readonly #model: string;
  readonly #rows: readonly Row[];
  readonly #item: RunningItem;
  #scheduler: Scheduler | null = null;

  private constructor(subject: Subject, rows: readonly Row[], lanes: number, threads: number) {
    const { files } = subject;
    this.lanes = lanes;
    this.#model = unitOf(files);
    this.#rows = rows;
    const request = jobRequest({ model: files.id });
    const times = { attempts: 1, crashes: 0, createdMs: 0, startedMs: 0 };
    const claim = {
      state: 'started',
      ref: request,
      version: files.version,
      request,
      input: [],
      finishedItems: new Set<number>(),
      ...times,
    } as const;
    this.#item = new RunningJob(claim, files).openItem(0);
    this.#item.parts = [undefined];
    this.#pool = new LanePool({ device: 'cpu', threads, lanes }, createLogger('bench', 'warn'), {
      onIdle: (lane) => this.#scheduler?.dispatch(lane),
      onModel: () => {},
      onLaneEnd: (_lane, reason) => console.log(`a lane ended: ${reason}`),
    });
  }

  static async open(subject: Subject, lanes: number, threads = 1): Promise<RealTrack> {
    const factory = await loadPipelineFactory(subject.files.task);
    const pipeline = await factory.createPipeline(subject.files, 'prepare');
    const rows: Row[] = [];
    for (let length = 3; length <= lengthMax; length++) {
      const [row] = await pipeline.prepare({ kind: 'text', text: textOf(length, length) }, {});
      if (row) rows.push(row);
    }
    const track = new RealTrack(subject, rows, lanes, threads);
    track.#pool.start();
    track.#pool.add(subject.files);
    await waitUntil('the lanes are loaded', () => track.#loaded().length === lanes, 60_000);
    return track;
  }

  async close(): Promise<void> {
    await this.#pool.stop();
  }

  async run({ contender, loads, ms }: Race): Promise<readonly EndedRow[]> {
    const ended: EndedRow[] = [];
    const beganMs = performance.now();
    const timers = new Set<NodeJS.Timeout>();
    const add = (load: Load, arrival: Arrival) => {
      const timer = setTimeout(
        () => {
          timers.delete(timer);
          scheduler.add([this.#queue(load, arrival, beganMs)]);
        },
        Math.max(0, beganMs + arrival.atMs - performance.now()),
      );
      timers.add(timer);
    };
    const spent = { calls: 0, engineMs: 0, wallMs: 0 };
    const seen: SeenCall[] = [];
    const note = ({ rows, computeMs, postprocessMs, wallMs }: CallReport) => {
      spent.calls++;
      spent.engineMs += computeMs + postprocessMs;
      spent.wallMs += wallMs;
      const length = Math.max(...rows.map((row) => row.length));
      seen.push({ rows: rows.length, length, wallMs, endedMs: performance.now() - beganMs });
    };
    const scheduler = this.#schedule(contender, note, (row, failed, wallMs) => {
      const { model, class: jobClass, length, shapeKey, deadlineMs, suspect, load } = row;
      const endedMs = performance.now() - beganMs;
      const arrivedMs = row.arrivedMs - beganMs;
      const seen = { model, class: jobClass, length, shapeKey, deadlineMs, suspect, arrivedMs, load };
      ended.push({ row: seen, startedMs: endedMs - wallMs, endedMs, failed });
      if (!load.next || endedMs >= ms) return;
      const next = load.next(endedMs);
      if (next.atMs > endedMs) add(load, next);
      else scheduler.add([this.#queue(load, next, beganMs)]);
    });
    for (const load of loads) for (const arrival of load.arrivals) add(load, arrival);
    await new Promise((resolve) => setTimeout(resolve, ms));
    const whole = this.lanes * (performance.now() - beganMs);
    const [engine, wall] = [spent.engineMs / whole, spent.wallMs / whole];
    this.seen = seen;
    this.use = { calls: spent.calls, engine, messages: wall - engine, between: 1 - wall };
    for (const timer of timers) clearTimeout(timer);
    this.#scheduler = null;
    await waitUntil('the lanes are idle', () => this.#pool.lanes.every(({ idle }) => idle), callLimitMs);
    return ended;
  }

  #schedule(
    contender: Contender,
    onReport: (report: CallReport) => void,
    onEnd: (row: RacingRow, failed: boolean, wallMs: number) => void,
  ): Scheduler {
    const cost = new LearnedCostModel();
    const scheduler = new Scheduler(contender.create(cost), cost, {
      onCall() {},
      onReport,
      onCallEnd() {},
      onDeath: (_lane, rows) => scheduler.add(rows),
      onRow: (row, outcome, { laneMs, rows }) => onEnd(row as RacingRow, 'problem' in outcome, laneMs * rows),
      ...noSteps,
    });
    scheduler.attach(this.#pool);
    this.#scheduler = scheduler;
    return scheduler;
  }

  /** What calls of this shape take now, all lanes busy with it: ms through the lanes, one for each try and lane. */
  async measureCalls(rows: number, length: number, tries: number): Promise<number[]> {
    const call = Array.from({ length: rows }, () => ({ row: this.#rowOf(length), alone: true }));
    const ms: number[] = [];
    for (let round = 0; round < tries; round++) {
      const results = await Promise.all(this.#loaded().map((lane) => lane.run(this.#model, call, callLimitMs)));
      for (const result of results) if (result.kind === 'ran') ms.push(result.wallMs);
    }
    return ms;
  }

  #loaded(): Lane[] {
    return this.#pool.lanes.filter(({ models }) => models.has(this.#model));
  }

  #rowOf(length: number): Row {
    return this.#rows[Math.min(lengthMax, Math.max(3, length)) - 3] as Row;
  }

  #queue(load: Load, arrival: Arrival, beganMs: number): RacingRow {
    const row = this.#rowOf(arrival.length);
    const arrivedMs = beganMs + Math.max(arrival.atMs, 0);
    return {
      load,
      row,
      item: this.#item,
      index: 0,
      model: this.#model,
      class: arrival.class,
      length: row.length,
      shapeKey: row.shapeKey,
      arrivedMs,
      deadlineMs: arrivedMs + (arrival.withinMs ?? Number.POSITIVE_INFINITY),
      waitsSinceMs: arrivedMs,
      suspect: false,
      alone: false,
    };
  }
}
