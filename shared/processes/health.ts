/**
 * What one process says of itself: alive, and ready or not, with the broken part named and how to mend it. Roles add
 * their checks; how it is asked (the metrics port of every process, the API's own port) is the caller's.
 */

export interface HealthCheck {
  readonly name: string;
  readonly ok: boolean;
  readonly detail: string;
  /** What to do about it; null while it is well. */
  readonly fix: string | null;
}

export interface HealthReport {
  readonly status: 'ready' | 'not-ready';
  readonly checks: readonly HealthCheck[];
}

type Finding = Omit<HealthCheck, 'name'>;
/** Says how its part is. What it throws is the fault. */
export type Examine = () => Finding | Promise<Finding>;

/** A probe gives up after 3 s (compose) or 1 s (Kubernetes' default, which the chart raises): answer before. */
const checkDeadlineMs = 2000;

export class Health {
  readonly #checks = new Map<string, Examine>();
  readonly #deadlineMs: number;

  constructor(deadlineMs = checkDeadlineMs) {
    this.#deadlineMs = deadlineMs;
  }

  /** Each name once: the second is a mistake in the code. */
  add(name: string, examine: Examine): void {
    if (this.#checks.has(name)) throw new Error(`The check "${name}" is there already.`);
    this.#checks.set(name, examine);
  }

  /** All checks side by side, in the order in which they were added. Never rejects. */
  async report(): Promise<HealthReport> {
    const checks = await Promise.all([...this.#checks].map(([name, examine]) => this.#ask(name, examine)));
    return { status: checks.every(({ ok }) => ok) ? 'ready' : 'not-ready', checks };
  }

  async #ask(name: string, examine: Examine): Promise<HealthCheck> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<Finding>((settle) => {
      timer = setTimeout(() => settle(broken(`no answer within ${this.#deadlineMs} ms`)), this.#deadlineMs);
    });
    try {
      const finding = await Promise.race([Promise.resolve().then(examine), late]);
      return { name, ...finding };
    } catch (error) {
      return { name, ...broken((error as Error).message) };
    } finally {
      clearTimeout(timer);
    }
  }
}

export function well(detail: string): Finding {
  return { ok: true, detail, fix: null };
}

export function broken(detail: string, fix: string | null = null): Finding {
  return { ok: false, detail, fix };
}

/** Whether Redis answers: the check that every role has. */
export function examineRedis(redis: { ping(): Promise<unknown> }): Examine {
  return async () => {
    const startedAt = performance.now();
    const fix = 'Start redis-server, or correct REDIS_URL.';
    const isThere = await settlesWithin(redis.ping(), redisDeadlineMs);
    return isThere
      ? well(`answers in ${(performance.now() - startedAt).toFixed(1)} ms`)
      : broken('does not answer', fix);
  };
}

/** Below the deadline of a check: a consumer's connection holds commands back for ever while Redis is away. */
const redisDeadlineMs = 1000;

function settlesWithin(promise: Promise<unknown>, ms: number): Promise<boolean> {
  return new Promise((settle) => {
    const timer = setTimeout(() => settle(false), ms);
    const end = (isThere: boolean) => {
      clearTimeout(timer);
      settle(isThere);
    };
    promise.then(
      () => end(true),
      () => end(false),
    );
  });
}
