/**
 * Bull Board, and the only door to it: read-only, without payloads, and bounded in what a look costs. What it shows of a
 * job is what we say of it: BullMQ knows of scheduling, outcomes are the store's.
 */
import { createBullBoard } from '@bull-board/api';
import { BullMQAdapter } from '@bull-board/api/bullMQAdapter';
import { ExpressAdapter } from '@bull-board/express';
import type { Express } from 'express';
import type { InspectedQueue } from '../../../shared/jobs/inspect-queues.ts';
import { describePayload, type Glance, linkOf, refOf } from './describe-payload.ts';

/** Ten browsers that look every second cost what one does. */
const countsMs = 1000;
/** We never pause a queue, but a hand in Redis may. */
const pausedMs = 10_000;
/** Bull Board lets a caller ask for any number. */
const jobsShownMax = 100;

export interface BoardLinks {
  readonly text: string;
  readonly url: string;
}

/** What our store knows of a job. Never throws. */
export type Look = (tenant: string, id: string) => Promise<Glance | undefined>;

export class ReadOnlyBoard {
  readonly app: Express;
  readonly #board: ReturnType<typeof createBullBoard>;
  readonly #look: Look;

  constructor(basePath: string, links: readonly BoardLinks[], look: Look) {
    const serverAdapter = new ExpressAdapter();
    serverAdapter.setBasePath(basePath);
    this.#look = look;
    this.#board = createBullBoard({
      queues: [],
      serverAdapter,
      options: {
        uiConfig: {
          boardTitle: 'Millrace queues',
          miscLinks: [...links],
          hideDocsLink: true,
          // A CLIENT LIST per queue and look.
          showWorkers: false,
          showMetrics: false,
          sortQueues: false,
          pollingInterval: { showSetting: true },
        },
      },
    });
    this.app = serverAdapter.getRouter() as Express;
  }

  replaceQueues(queues: readonly InspectedQueue[]): void {
    this.#board.replaceQueues([]); // It would put new ones last.
    this.#board.replaceQueues(queues.map((queue) => new WatchedQueue(queue, this.#look)));
  }
}

type JobStatuses = Parameters<BullMQAdapter['getJobs']>[0];

class WatchedQueue extends BullMQAdapter {
  readonly #look: Look;
  readonly #glances = new WeakMap<object, Glance>();
  readonly #counts: () => ReturnType<BullMQAdapter['getJobCounts']>;
  readonly #paused: () => Promise<boolean>;

  constructor(queue: InspectedQueue, look: Look) {
    super(queue, {
      readOnlyMode: true,
      allowRetries: false,
      externalJobUrl: ({ id, data }) => ({ displayText: 'Job in Millrace', href: linkOf(data, String(id ?? '')) }),
    });
    this.#look = look;
    this.setFormatter('data', (data: object) => describePayload(data, this.#glances.get(data)));
    this.setFormatter('returnValue', () => null);
    this.setFormatter('progress', () => 0);
    this.#counts = kept(countsMs, () => super.getJobCounts());
    this.#paused = kept(pausedMs, () => super.isPaused());
  }

  override async getJobs(statuses: JobStatuses, start = 0, end = start + jobsShownMax - 1) {
    const jobs = await super.getJobs(statuses, start, Math.min(end, start + jobsShownMax - 1));
    await Promise.all(jobs.map((job) => this.#describe(job)));
    return jobs;
  }

  override async getJob(id: string) {
    const job = await super.getJob(id);
    if (job) await this.#describe(job);
    return job;
  }

  override getJobCounts() {
    return this.#counts();
  }

  override isPaused() {
    return this.#paused();
  }

  // What we never use is not asked for at each look.
  override getGlobalConcurrency() {
    return Promise.resolve(null);
  }

  override getActiveRateLimitTtl() {
    return Promise.resolve(0);
  }

  override getJobSchedulersCount() {
    return Promise.resolve(0);
  }

  async #describe(job: { readonly id?: string | undefined; readonly data: object }): Promise<void> {
    const { tenant, id } = refOf(job.data, job.id ?? '');
    const glance = await this.#look(tenant, id);
    if (glance) this.#glances.set(job.data, glance);
  }
}

/** Asks again when the last answer is older than `ms`. */
function kept<T>(ms: number, ask: () => Promise<T>): () => Promise<T> {
  let askedMs = Number.NEGATIVE_INFINITY;
  let answer: Promise<T> | undefined;
  return () => {
    if (answer && performance.now() - askedMs < ms) return answer;
    askedMs = performance.now();
    const asked = ask();
    answer = asked;
    asked.catch(() => {
      if (answer === asked) answer = undefined;
    });
    return asked;
  };
}
