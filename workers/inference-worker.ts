/**
 * One worker: the parts of one device put together. Claims feed the runner, the runner feeds the scheduler, the scheduler
 * feeds the lanes, results go back to the runner and from there to the store. Owns their order of start and stop.
 */
import { hostname } from 'node:os';
import type { Redis } from 'ioredis';
import type { ModelFiles } from '../models/repository/model-files.ts';
import type { BlobStore } from '../shared/blobs/blob-store.ts';
import { lanesFor, type Settings } from '../shared/config/settings.ts';
import { keys } from '../shared/jobs/keys.ts';
import { JobStore } from '../shared/jobs/store/job-store.ts';
import type { JobRef } from '../shared/jobs/store/words.ts';
import { AllowedHosts } from '../shared/net/url-policy.ts';
import type { Logger } from '../shared/observability/logger.ts';
import type { Registry } from '../shared/observability/metrics.ts';
import { noTracing, type Tracing } from '../shared/observability/tracing/span.ts';
import { CallLedger } from './call-ledger.ts';
import { ClaimBudget } from './claims/claim-budget.ts';
import { ClaimQueues } from './claims/claim-queues.ts';
import { beginAtZero, createInferenceMetrics, exposeLevels, type InferenceMetrics } from './inference-metrics.ts';
import { describeDevice } from './lane/device.ts';
import type { CallResult, Lane } from './lane/lane.ts';
import { LanePool, type ModelDetail, type ModelState } from './lane/lane-pool.ts';
import { ModelStates } from './model-states.ts';
import { OutcomeWriter } from './outcomes/outcome-writer.ts';
import { Preparer, type PreparesItems } from './preparation/prepare-input.ts';
import { Reaper } from './reap-dead-workers.ts';
import { CallNotes } from './running/call-notes.ts';
import { JobRunner } from './running/job-runner.ts';
import type { QueuedRow } from './running/running-job.ts';
import { AdaptivePolicy } from './scheduling/adaptive-policy.ts';
import { LearnedCostModel } from './scheduling/cost-model.ts';
import { Scheduler } from './scheduling/scheduler.ts';
import { ServedModel } from './served-model.ts';
import { EngineCalls } from './tracing/engine-calls.ts';

export interface InferenceWorkerParts {
  readonly device: string;
  readonly settings: Settings;
  /** A consumer connection; the worker makes the further ones that it needs from it. */
  readonly redis: Redis;
  readonly blobs: BlobStore;
  readonly models: readonly ModelFiles[];
  readonly registry: Registry;
  readonly logger: Logger;
  /** Nothing is recorded when absent. */
  readonly tracing?: Tracing;
  /** A fake engine, for tests: module of the lane process, and what makes its rows. */
  readonly engine?: { readonly laneEntry: string; readonly preparer: PreparesItems };
}

export class InferenceWorker {
  /** Names this worker in Redis. With the time: a container that starts again has the same host name and the same pids. */
  readonly name: string;
  /** What was told of each model last. */
  readonly models = new Map<string, { readonly state: ModelState; readonly reason: string | undefined }>();
  readonly #parts: InferenceWorkerParts;
  readonly #lanes: number;
  readonly #metrics: InferenceMetrics;
  readonly #ledger: CallLedger;
  readonly #store: JobStore;
  readonly #preparer: PreparesItems;
  readonly #runner: JobRunner;
  readonly #scheduler: Scheduler;
  readonly #pool: LanePool;
  readonly #states: ModelStates;
  readonly #served = new Map<string, ServedModel>();
  readonly #notes: CallNotes;
  readonly #calls: EngineCalls;
  readonly #control: Redis;
  readonly #reaper: Reaper;

  constructor(parts: InferenceWorkerParts) {
    const { device, settings, redis, blobs, registry, logger, tracing = noTracing } = parts;
    this.#parts = parts;
    this.name = `${hostname()}-${process.pid}-${Date.now().toString(36)}`;
    this.#notes = new CallNotes(redis, this.name);
    this.#calls = new EngineCalls(tracing, device);
    this.#lanes = lanesFor(device, settings);
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
      enqueue: (rows) => this.#scheduler.add(rows),
    });
    const cost = new LearnedCostModel();
    this.#scheduler = new Scheduler(new AdaptivePolicy(cost), cost, {
      onCall: (lane, rows, predictedMs) => this.#noteCall(lane, rows, predictedMs),
      onRow: (row, outcome, report) => this.#runner.take(row, outcome, report),
      onReport: (report) => this.#ledger.measure(report),
      onDeath: (_lane, rows) => this.#runner.takeDeath(rows),
      onCallEnd: (lane, result) => this.#closeCall(lane, result),
    });
    const entry = parts.engine && { entry: parts.engine.laneEntry };
    this.#pool = new LanePool({ device, threads: settings.laneThreads, lanes: this.#lanes, ...entry }, logger, {
      onIdle: (lane) => this.#scheduler.dispatch(lane),
      onModel: (files, state, detail) => this.#modelChanged(files, state, detail),
      onLaneEnd: (lane) => this.#metrics.laneEnds.inc({ lane: lane.name }),
    });
    this.#scheduler.attach(this.#pool);
    this.#states = new ModelStates(redis, this.name, device);
    this.#reaper = new Reaper(redis, this.#store, logger);
    this.#control = redis.duplicate();
    this.#control.on('error', () => {}); // The main connection logs for both.
    this.#describe();
  }

  get lanes(): { readonly wanted: number; readonly loaded: number } {
    return { wanted: this.#lanes, loaded: this.#pool.lanes.filter(({ models }) => models.size > 0).length };
  }

  /** Lanes start loading; the consumers of a model open when its first lane has it. */
  async start(): Promise<void> {
    this.#pool.start(this.#parts.models);
    this.#control.on('message', (_channel, message: string) => {
      const [verb, job] = message.split(' ');
      if (verb === 'cancel' && job) this.#runner.drop(job);
    });
    await this.#control.subscribe(keys.control);
    this.#reaper.start();
  }

  /** No new claims; what was claimed is finished; then the lanes end. */
  async stop(): Promise<void> {
    this.#reaper.stop();
    await Promise.all([...this.#served.values()].map((served) => served.close()));
    await this.#pool.stop();
    await this.#notes.stop();
    await this.#states.stop();
    await this.#preparer.close();
    this.#control.disconnect();
  }

  #modelChanged(files: ModelFiles, state: ModelState, detail: ModelDetail): void {
    const { loadMs, memoryBytes } = detail;
    if (state === 'ready' && loadMs) this.#metrics.modelLoad.set({ model: files.id }, loadMs / 1000);
    if (state === 'ready' && memoryBytes) this.#metrics.modelMemory.set({ model: files.id }, memoryBytes);
    let served = this.#served.get(files.id);
    if (!served) {
      served = this.#serve(files);
      this.#served.set(files.id, served);
    }
    served.change(state, detail.reason, detail.canaryMs);
  }

  #serve(files: ModelFiles): ServedModel {
    const { id, version } = files;
    const { redis, logger } = this.#parts;
    return new ServedModel({
      warm: () => this.#preparer.warm(files),
      open: (canaryMs) => {
        const budget = new ClaimBudget(this.#lanes, canaryMs);
        const run = async (ref: JobRef) => {
          const laneMs = await this.#runner.run(ref, files);
          if (laneMs > 0) budget.observe(laneMs);
        };
        return new ClaimQueues({ model: id, connection: redis, budget, logger, run });
      },
      tell: (state, reason) => {
        if (state === 'ready') logger.info({ model: id, version }, 'model ready');
        if (state === 'failed')
          logger.error({ model: id, reason, claimed: this.#runner.size }, 'model can not run here');
        this.models.set(id, { state, reason });
        this.#states.set(id, version, state, reason);
        this.#metrics.modelReady.set({ model: id, version }, state === 'ready' ? 1 : 0);
      },
    });
  }

  /** Who is on board, before the call: if this whole process dies, they are the suspects. Not waited for. */
  #noteCall(lane: Lane, rows: readonly QueuedRow[], predictedMs: number): void {
    const nowMs = performance.now();
    this.#ledger.begin(lane.name);
    for (const row of rows)
      this.#metrics.batchWait.observe({ model: row.model, class: row.class }, (nowMs - row.waitsSinceMs) / 1000);
    this.#notes.open(lane.name, rows, predictedMs);
    this.#calls.open(lane.name, rows, predictedMs);
  }

  /** Nobody is on board now. Left there, jobs would be blamed for a death of this process that they had no part in. */
  #closeCall(lane: Lane, result: CallResult): void {
    this.#calls.close(lane.name, result);
    this.#ledger.end(lane.name);
    this.#notes.close(lane.name, result.kind === 'died');
  }

  /** What is known from the start: the device, its lanes and models. */
  #describe(): void {
    const { device, settings, models, registry } = this.#parts;
    const names = models.map(({ id }) => id);
    this.#ledger.expect(this.#pool.laneNames, names);
    beginAtZero(this.#metrics, this.#pool.laneNames, names);
    exposeLevels(registry, {
      waitingRows: () => this.#scheduler.waiting,
      claimedJobs: () => this.#runner.size,
      lanesWanted: this.#lanes,
      lanes: () => this.#pool.lanes,
    });
    const labels = { lanes: String(this.#lanes), threads: String(settings.laneThreads), ...describeDevice(device) };
    this.#metrics.deviceInfo.set(labels, 1);
  }
}
