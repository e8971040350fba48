/**
 * Walks one claimed job from its record to its outcome: prepare each item, hand rows to the scheduler, store what comes
 * back. The only place that decides what a row's result means for its item and its job.
 */
import type { ModelFiles } from '../../models/repository/model-files.ts';
import type { JobRequest } from '../../shared/jobs/job.ts';
import type { JobStore } from '../../shared/jobs/store/job-store.ts';
import type { FinishReply, JobRef, StartedClaim } from '../../shared/jobs/store/words.ts';
import type { Logger } from '../../shared/observability/logger.ts';
import { recordJobSpan } from '../../shared/observability/tracing/job-span.ts';
import type { Tracing } from '../../shared/observability/tracing/span.ts';
import type { ProblemSlug } from '../../shared/problems/catalogue.ts';
import { Problem, type ProblemDetails, toProblem } from '../../shared/problems/problem.ts';
import type { JobCost } from '../claims/claim-budget.ts';
import type { InferenceMetrics } from '../inference-metrics.ts';
import type { LaneOutcome } from '../lane/lane-protocol.ts';
import type { OutcomeWriter } from '../outcomes/outcome-writer.ts';
import type { PreparesItems } from '../preparation/prepare-input.ts';
import type { RowCost } from '../scheduling/scheduler.ts';
import { JobTrace } from '../tracing/job-trace.ts';
import { finishOf } from './item-finish.ts';
import { deathsMax, isPoison, poison } from './poison.ts';
import { prepareItems } from './prepare-items.ts';
import { nameOf, type QueuedRow, type RunningItem, RunningJob } from './running-job.ts';

/** A job without `timeout` may run this long; longer belongs into a bulk run. */
const timeoutSecondsDefault = 600;
/** A larger outcome is moved to a blob: 256 vectors of 384 floats would hold 0.5 MB of Redis for an hour. */
const inlineResultBytesMax = 32_768;

const nothing: JobCost = { laneMs: 0, rows: 0 };

export interface JobRunnerParts {
  readonly store: JobStore;
  readonly writer: OutcomeWriter;
  readonly preparer: PreparesItems;
  readonly metrics: InferenceMetrics;
  readonly logger: Logger;
  readonly tracing: Tracing;
  /** Takes prepared rows. */
  readonly enqueue: (rows: readonly QueuedRow[]) => void;
}

export class JobRunner {
  readonly #parts: JobRunnerParts;
  readonly #running = new Map<string, RunningJob>();
  /** By name: every claim from its start to its end. */
  readonly #claims = new Map<string, Promise<JobCost>>();

  constructor(parts: JobRunnerParts) {
    this.#parts = parts;
  }

  get size(): number {
    return this.#claims.size;
  }

  /**
   * Runs a claimed job; resolves when its outcome is stored, here or elsewhere, with what it took here. A job that this
   * worker still has comes back when it was taken for dead: the second claim waits for the first.
   */
  async run(claim: StartedClaim, files: ModelFiles): Promise<JobCost> {
    const name = nameOf(claim.ref);
    const underWay = this.#claims.get(name);
    if (underWay) {
      await underWay;
      return nothing;
    }
    const running = this.#run(claim, files).finally(() => this.#claims.delete(name));
    this.#claims.set(name, running);
    return await running;
  }

  async #run(claim: StartedClaim, files: ModelFiles): Promise<JobCost> {
    const job = new RunningJob(claim, files, JobTrace.follow(this.#parts.tracing, claim, files));
    this.#running.set(job.name, job);
    if (claim.attempts === 1)
      this.#parts.metrics.queueWait.observe(
        { model: files.id, class: job.class },
        Math.max(0, claim.startedMs - claim.createdMs) / 1000,
      );
    job.limitTo((job.request.timeoutSeconds ?? timeoutSecondsDefault) * 1000, () => void this.#timeOut(job));
    try {
      // Whoever ends the job ends the claim, also while a decoder hangs.
      await Promise.race([this.#prepareItems(job), job.over]);
      job.endPreparation();
      await job.over;
      return { laneMs: job.laneMs, rows: job.rows };
    } finally {
      job.end();
      this.#running.delete(job.name);
    }
  }

  /** Ends a job that can not be started. */
  async refuse(ref: JobRef, problem: Problem): Promise<void> {
    await this.#endJob(ref, 'failed', problem);
  }

  /** Ends a job that waited too long. */
  async expire({ ref, request }: { readonly ref: JobRef; readonly request: JobRequest }): Promise<void> {
    const { model, priority, items } = request;
    const startedMs = performance.now();
    const problem = new Problem('expired', 'The job did not start within its `expires_in`.');
    const reply = await this.#endJob(ref, 'expired', problem);
    if (reply !== 'job-ended') return;
    this.#parts.metrics.outcomes.inc({ model, class: priority, outcome: 'expired', reason: 'expired' }, items);
    recordJobSpan(this.#parts.tracing, request, { name: 'expire', startedMs, error: problem.slug });
  }

  /** Another process ended the job: drop its rows. */
  drop(name: string): void {
    this.#running.get(name)?.end();
  }

  /** One row's result. The item ends with its last row. */
  take(row: QueuedRow, outcome: LaneOutcome, cost: RowCost): void {
    const { item } = row;
    item.job.laneMs += cost.laneMs;
    item.job.rows++;
    if (item.settled) return;
    item.computeSeconds = Math.max(item.computeSeconds, cost.computeMs / 1000);
    item.batchRows = Math.max(item.batchRows, cost.rows);
    if ('problem' in outcome) {
      this.#settle(item, 'failed', JSON.stringify(outcome.problem), slugOf(outcome.problem));
      return;
    }
    if ('json' in outcome) {
      this.#settle(item, 'succeeded', outcome.json);
      return;
    }
    item.parts[row.index] = outcome.part;
    item.rowsOpen--;
    if (item.rowsOpen === 0) void this.#merge(item);
  }

  /** The lane died under these rows. Suspects rerun alone; one that died alone too often is set aside. */
  takeDeath(rows: readonly QueuedRow[]): void {
    const items = new Set(rows.map(({ item }) => item));
    const jobs = new Set([...items].map(({ job }) => job));
    for (const item of items) item.deaths++;
    this.#parts.metrics.suspects.inc({ model: (rows[0] as QueuedRow).item.job.files.id }, rows.length);
    this.#parts.store
      .countCrash([...jobs].map(({ ref }) => ref))
      .catch((error) => this.#parts.logger.warn({ err: error }, 'crash not counted'));
    const back: QueuedRow[] = [];
    for (const row of rows) {
      if (row.item.deaths >= deathsMax) this.#setAside(row.item);
      else back.push(Object.assign(row, { suspect: true }));
    }
    this.#parts.enqueue(back);
  }

  async #prepareItems(job: RunningJob): Promise<void> {
    const open = job.claim.input.map((_, index) => index).filter((index) => !job.claim.finishedItems.has(index));
    if (isPoison(job)) {
      this.#parts.metrics.deadLetters.inc({ model: job.files.id }, job.itemsOpen);
      return await this.#failJob(job, poison(), true);
    }
    await prepareItems(job, open, {
      ...this.#parts,
      onFault: (item, problem) => this.#settle(item, 'failed', JSON.stringify(problem.toDetails()), problem.slug),
    });
  }

  async #merge(item: RunningItem): Promise<void> {
    const { files, trace } = item.job;
    const { preparer } = this.#parts;
    const startedMs = performance.now();
    try {
      const output = await preparer.merge({ files, parts: item.parts, contexts: item.contexts });
      trace?.merged(item.index, startedMs);
      this.#settle(item, 'succeeded', output);
    } catch (error) {
      const problem = toProblem(error, 'inference-failed');
      trace?.merged(item.index, startedMs, problem.slug);
      this.#settle(item, 'failed', JSON.stringify(problem.toDetails()), problem.slug);
    }
  }

  #settle(
    item: RunningItem,
    status: 'succeeded' | 'failed',
    fragment: string,
    reason: ProblemSlug | 'none' = 'none',
    deadLetter = false,
  ): void {
    if (item.settled) return;
    item.settled = true;
    const { job } = item;
    job.release(item);
    job.resultBytes += fragment.length;
    job.itemsOpen--;
    const entry = finishOf(item, { status, fragment, deadLetter });
    const { writer, metrics, logger } = this.#parts;
    const resultMs = performance.now();
    void writer.finish(entry, job.itemsOpen === 0).then((reply) => {
      const { model } = job.request;
      metrics.finish.observe((performance.now() - resultMs) / 1000);
      job.trace?.settled(item.index, status, reason, resultMs, reply);
      if (reply === 'late' || reply === 'item-known') metrics.late.inc({ model });
      else metrics.outcomes.inc({ model, class: job.class, outcome: status, reason });
      if (reply === 'job-ended' && job.resultBytes > inlineResultBytesMax) void writer.offload(job.ref, job.traceId);
      if (reply === 'job-ended' || reply === 'late') {
        // Asked first: reading the trace id takes 0.4 us of every job.
        if (logger.isLevelEnabled('debug')) logger.debug({ job: job.ref.id, trace: job.traceId, reply }, 'job ended');
        job.end();
      }
    });
  }

  #setAside(item: RunningItem): void {
    const model = item.job.files.id;
    this.#parts.metrics.deadLetters.inc({ model });
    this.#parts.logger.error(
      {
        job: item.job.ref.id,
        trace: item.job.traceId,
        item: item.index,
        model,
        starts: item.deaths,
      },
      'item set aside as poison',
    );
    this.#settle(item, 'failed', JSON.stringify(poison().toDetails()), 'poison-job', true);
  }

  async #timeOut(job: RunningJob): Promise<void> {
    const seconds = job.request.timeoutSeconds ?? timeoutSecondsDefault;
    await this.#failJob(job, new Problem('run-timeout', `The job ran longer than ${seconds} s, its \`timeout\`.`));
  }

  /** The items that have no result end with the job. */
  async #failJob(job: RunningJob, problem: Problem, deadLetter = false): Promise<void> {
    const labels = { model: job.request.model, class: job.class, outcome: 'failed', reason: problem.slug };
    const items = job.itemsOpen;
    const reply = await this.#endJob(job.ref, 'failed', problem, deadLetter);
    if (reply === 'job-ended') this.#parts.metrics.outcomes.inc(labels, items);
    job.trace?.failed(problem.slug, reply);
    job.end();
  }

  async #endJob(ref: JobRef, status: 'failed' | 'expired', problem: Problem, deadLetter = false): Promise<FinishReply> {
    return await this.#parts.writer.finish({
      ...ref,
      kind: 'job',
      status,
      fragment: JSON.stringify(problem.toDetails()),
      deadLetter,
    });
  }
}

function slugOf(problem: ProblemDetails): ProblemSlug {
  return problem.type.replace('/problems/', '') as ProblemSlug;
}
