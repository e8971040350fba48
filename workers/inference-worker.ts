/**
 * One worker: the parts of one device put together. Claims feed the runner, the runner feeds the scheduler, the scheduler
 * feeds the lanes, results go back to the runner and from there to the store. Owns their order of start and stop.
 */
import { hostname } from 'node:os';
import type { Redis } from 'ioredis';
import type { ModelFiles, ModelRepository } from '../models/repository/model-files.ts';
import { keys } from '../shared/jobs/keys.ts';
import { JobStore } from '../shared/jobs/store/job-store.ts';
import { AllowedHosts } from '../shared/net/url-policy.ts';
import { noTracing } from '../shared/observability/tracing/span.ts';
import { CallLedger } from './call-ledger.ts';
import { HeldClaims } from './claims/held-claims.ts';
import { beginAtZero, createInferenceMetrics, exposeLevels, type InferenceMetrics } from './inference-metrics.ts';
import { describeDevice } from './lane/device.ts';
import type { CallResult, Lane, StepResult } from './lane/lane.ts';
import { LanePool } from './lane/lane-pool.ts';
import { type ChosenLayout, layoutFor, memoryFor } from './layout/layout.ts';
import { OutcomeWriter } from './outcomes/outcome-writer.ts';
import { Preparer, type PreparesItems } from './preparation/prepare-input.ts';
import { Reaper } from './reap-dead-workers.ts';
import { CallNotes } from './running/call-notes.ts';
import { JobRunner } from './running/job-runner.ts';
import type { QueuedRow } from './running/running-job.ts';
import { AdaptivePolicy } from './scheduling/adaptive-policy.ts';
import { LearnedCostModel } from './scheduling/cost-model.ts';
import { type CallReport, Scheduler } from './scheduling/scheduler.ts';
import { ModelAnnouncer } from './serving/model-announcer.ts';
import { ModelRoster } from './serving/model-roster.ts';
import { ModelStates } from './serving/model-states.ts';
import { openQueues } from './serving/open-queues.ts';
import { RunPlaces } from './serving/run-places.ts';
import type { ModelReport } from './serving/served-model.ts';
import { EngineCalls } from './tracing/engine-calls.ts';
import { reportCalls } from './upstream/report-calls.ts';
import { UpstreamPool } from './upstream/upstream-pool.ts';
import type { InferenceWorkerParts } from './worker-parts.ts';

/** An operator's message may be lost; what it changed is read this often. */
const resyncMs = 2000;

export class InferenceWorker {
  /** Names this worker in Redis. With the time: a container that starts again has the same host name and the same pids. */
  readonly name: string;
  readonly #parts: InferenceWorkerParts;
  readonly #layout: ChosenLayout;
  readonly #metrics: InferenceMetrics;
  readonly #ledger: CallLedger;
  readonly #store: JobStore;
  readonly #preparer: PreparesItems;
  readonly #runner: JobRunner;
  readonly #scheduler: Scheduler;
  readonly #pool: LanePool;
  readonly #upstreams: UpstreamPool;
  readonly #places: RunPlaces;
  readonly #announcer: ModelAnnouncer;
  readonly #roster: ModelRoster;
  readonly #notes: CallNotes;
  readonly #held: HeldClaims;
  readonly #calls: EngineCalls;
  readonly #control: Redis;
  readonly #reaper: Reaper;
  #resync: NodeJS.Timeout | undefined;

  constructor(parts: InferenceWorkerParts) {
    const { device, settings, redis, blobs, registry, logger, tracing = noTracing } = parts;
    this.#parts = parts;
    this.name = `${hostname()}-${process.pid}-${Date.now().toString(36)}`;
    this.#notes = new CallNotes(redis, this.name);
    this.#held = new HeldClaims(redis, this.name);
    this.#calls = new EngineCalls(tracing, device);
    this.#layout = parts.layouts?.inForce ?? layoutFor(device, settings);
    this.#metrics = createInferenceMetrics(registry);
    this.#ledger = new CallLedger(registry, this.#metrics);
    this.#store = new JobStore(redis, (name) => blobs.readText(name), settings.recording);
    this.#preparer =
      parts.engine?.preparer ??
      new Preparer({ blobs, allowed: new AllowedHosts(settings.allowHosts), downloadBytesMax: settings.bodyMaxBytes });
    this.#runner = new JobRunner({
      store: this.#store,
      writer: new OutcomeWriter(this.#store, blobs, logger),
      preparer: this.#preparer,
      metrics: this.#metrics,
      logger,
      tracing,
      enqueue: (rows) => this.#places.enqueue(rows),
    });
    const cost = new LearnedCostModel(parts.costs?.remembered);
    parts.costs?.keep(() => cost.memories());
    this.#scheduler = new Scheduler(new AdaptivePolicy(cost), cost, {
      onCall: (lane, rows, predictedMs) => this.#noteCall(lane, rows, predictedMs),
      onRow: (row, outcome, report) => this.#runner.take(row, outcome, report),
      onReport: (report) => this.#noteReport(report),
      onDeath: (_lane, rows) => this.#runner.takeDeath(rows),
      onCallEnd: (lane, result) => {
        this.#calls.close(lane.name, result);
        this.#closeCall(lane, result);
      },
      onSteps: (lane, rows, admitted, budgetMs) => this.#noteBoard(lane, rows, admitted, budgetMs),
      onStepsEnd: (lane, result) => this.#closeCall(lane, result),
      onStepReport: (report) => this.#ledger.measureSteps(modelOf(report.rows), report),
      onWritten: (lane, live) => this.#calls.wrote(lane.name, live),
      onUnwritten: (lane, live, reason) => {
        this.#metrics.evictions.inc({ model: modelOf([live.row]), reason });
        this.#calls.wrote(lane.name, live, reason);
      },
    });
    const { laneEntry, retryMs } = parts.engine ?? {};
    const engine = { ...(laneEntry && { entry: laneEntry }), ...(retryMs && { retryMs }) };
    this.#pool = new LanePool(
      { device, ...this.#layout, memoryBytes: memoryFor(device, settings), ...engine },
      logger,
      {
        onIdle: (lane) => this.#scheduler.dispatch(lane),
        onModel: (files, state, detail) => {
          const { loadMs, memoryBytes } = detail;
          if (state === 'ready' && loadMs) this.#metrics.modelLoad.set({ model: files.id }, loadMs / 1000);
          if (state === 'ready' && memoryBytes) this.#metrics.modelMemory.set({ model: files.id }, memoryBytes);
          this.#roster.lanesSay(files, state, detail);
        },
        waits: () => this.#scheduler.waits(),
        isHeld: (lane, unit) => this.#scheduler.isHeld(lane, unit),
        onLaneEnd: (lane) => {
          this.#metrics.laneEnds.inc({ lane: lane.name });
          this.#scheduler.laneEnded(lane);
        },
      },
    );
    this.#scheduler.attach(this.#pool);
    this.#upstreams = new UpstreamPool({
      ...reportCalls(this.#metrics, tracing),
      onRow: (row, outcome, ms) => this.#runner.take(row, outcome, { computeMs: ms, laneMs: ms, rows: 1 }),
      onModel: (files, state, detail) => this.#roster.lanesSay(files, state, detail),
    });
    this.#places = new RunPlaces({ pool: this.#pool, scheduler: this.#scheduler, upstreams: this.#upstreams });
    const states = new ModelStates(redis, this.name, device);
    const told = { metrics: this.#metrics, claimed: () => this.#runner.size, layout: this.#layout };
    this.#announcer = new ModelAnnouncer({ states, logger, ...told });
    this.#roster = this.#makeRoster();
    this.#reaper = new Reaper(redis, this.#store, this.#held, logger);
    this.#control = redis.duplicate();
    this.#control.on('error', () => {}); // The main connection logs for both.
    this.#describe();
  }

  /** What was told of each model last. */
  get models(): ReadonlyMap<string, ModelReport> {
    return this.#announcer.models;
  }

  get lanes(): { readonly wanted: number; readonly loaded: number } {
    return { wanted: this.#layout.lanes, loaded: this.#pool.lanes.filter(({ models }) => models.size > 0).length };
  }

  /** Lanes start loading; the consumers of a model open when its first lane has it. */
  async start(): Promise<void> {
    this.#pool.start();
    await this.#roster.sync();
    this.#control.on('message', (_channel, message: string) => {
      const [verb, word] = message.split(' ');
      if (verb === 'cancel' && word) this.#runner.drop(word);
      if (verb === 'models') void this.#lookAgain(word);
    });
    await this.#control.subscribe(keys.control);
    this.#resync = setInterval(() => void this.#roster.sync(), resyncMs);
    this.#reaper.start();
    this.#parts.layouts?.watch({
      isIdle: () => this.#runner.size === 0,
      models: () => this.#pool.models,
      memoryOf: (unit) => this.#pool.memoryOf(unit),
    });
  }

  /** The model folders hold something else now. */
  async update(repository: ModelRepository): Promise<void> {
    await this.#roster.update(repository);
  }

  /** No new claims; what was claimed is finished; then the lanes end. */
  async stop(): Promise<void> {
    clearInterval(this.#resync);
    await this.#parts.layouts?.stop();
    this.#reaper.stop();
    await this.#roster.stop();
    this.#upstreams.stop();
    await this.#pool.stop();
    await this.#parts.costs?.stop();
    await this.#notes.stop();
    await this.#announcer.stop();
    await this.#preparer.close();
    this.#control.disconnect();
  }

  /** An operator loaded or unloaded something; with a model's name, what kept it from loading is gone. */
  async #lookAgain(loaded: string | undefined): Promise<void> {
    await this.#parts.look?.();
    await this.#roster.sync();
    if (loaded) this.#places.retry(loaded);
  }

  #makeRoster(): ModelRoster {
    const { redis, logger, models, broken = [] } = this.#parts;
    const { lanes } = this.#layout;
    return new ModelRoster(
      { models, broken },
      {
        lanes: { add: (files) => this.#addToLanes(files), remove: (unit) => this.#places.remove(unit) },
        warm: (files) => this.#preparer.warm(files),
        open: (model, canaryMs) => {
          const slots = () => this.#places.slotsOf(model.id);
          const claiming = { redis, worker: this.name, held: this.#held, runner: this.#runner };
          return openQueues(model, { ...claiming, lanes, canaryMs, slots, logger });
        },
        tell: (id, report) => this.#announcer.tell(id, report),
        forget: (id) => this.#announcer.forget(id),
        readUnloaded: async () => new Set(await redis.hkeys(keys.unloadedModels)),
        logger,
      },
    );
  }

  #addToLanes(files: ModelFiles): void {
    this.#ledger.expect([], [files.id]);
    beginAtZero(this.#metrics, [], [files.id]);
    this.#places.add(files);
  }

  /** Who is on board, before the call: if this whole process dies, they are the suspects. Not waited for. */
  #noteCall(lane: Lane, rows: readonly QueuedRow[], predictedMs: number): void {
    this.#noteBoard(lane, rows, rows, predictedMs);
    this.#calls.open(lane.name, rows, predictedMs);
  }

  #noteReport(report: CallReport): void {
    const { model, rows, wallMs } = report;
    this.#ledger.measure({ ...report, model: modelOf(rows) });
    this.#parts.layouts?.offer({ model, rows: rows.map(({ row }) => row), ms: wallMs });
  }

  #noteBoard(lane: Lane, rows: readonly QueuedRow[], boarded: readonly QueuedRow[], predictedMs: number): void {
    const nowMs = performance.now();
    this.#ledger.begin(lane.name);
    for (const row of boarded) {
      const labels = { model: modelOf([row]), class: row.class };
      this.#metrics.batchWait.observe(labels, (nowMs - row.waitsSinceMs) / 1000);
    }
    this.#notes.open(lane.name, rows, predictedMs);
  }

  /** Nobody is on board now. Left there, jobs would be blamed for a death of this process that they had no part in. */
  #closeCall(lane: Lane, result: CallResult | StepResult): void {
    this.#ledger.end(lane.name);
    this.#notes.close(lane.name, result.kind === 'died');
  }

  /** What is known from the start: the device and its lanes. */
  #describe(): void {
    const { device, registry } = this.#parts;
    const { lanes, threads, source } = this.#layout;
    this.#ledger.expect(this.#pool.laneNames, []);
    beginAtZero(this.#metrics, this.#pool.laneNames, []);
    exposeLevels(registry, {
      waitingRows: () => this.#scheduler.waiting,
      liveRows: () => this.#scheduler.live,
      claimedJobs: () => this.#runner.size,
      upstreams: () => this.#upstreams.levels(),
      lanesWanted: this.#layout.lanes,
      residents: () => this.#pool.residents(),
      lanes: () => this.#pool.lanes,
    });
    const layout = { lanes: String(lanes), threads: String(threads), layout: source };
    this.#metrics.deviceInfo.set({ ...layout, ...describeDevice(device) }, 1);
  }
}

/** Rows of one call are of one model. */
function modelOf(rows: readonly QueuedRow[]): string {
  return (rows[0] as QueuedRow).item.job.files.id;
}
