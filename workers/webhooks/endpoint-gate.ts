/**
 * Who may send now, so that endpoints which hang do not hold up the others. Pure: it sees clock readings, never timers,
 * sockets or queues. An endpoint is an origin; it is
 * - trusted once an answer (any) came within 2 s: its limit of attempts at a time doubles with each, up to a
 *   quarter of all, so that one which dies in full flight leaves room;
 * - doubtful before that, and after an attempt without an answer or a slow one: all doubtful ones together get at most
 *   half of the slots, so that the trusted always have the other half;
 * - paused while it asks for that (429, 502, 504; Retry-After).
 * Who may not send is told when to ask again; the waits of one endpoint are spread over the time its backlog will take.
 */
export interface GateOptions {
  /** Attempts in flight at a time, over all endpoints. */
  readonly slots: number;
  readonly random?: () => number;
}

/** What an attempt showed of its endpoint. */
export interface Impression {
  readonly ms: number;
  readonly answered: boolean;
  readonly throttled: boolean;
  readonly retryAfterSeconds: number | null;
}

interface Endpoint {
  inFlight: number;
  /** Of those, how many took a doubtful slot. */
  doubtfulInFlight: number;
  limit: number;
  trusted: boolean;
  pausedUntilMs: number;
  throttles: number;
  /** Mean length of its attempts. */
  meanMs: number;
  /** When it last answered, failed, or was asked after a pause: it has been silent since. */
  silentSinceMs: number;
  /** Up to when the waits handed out reach. */
  bookedUntilMs: number;
}

const quickMs = 2000;
const firstLimit = 4;
const firstMeanMs = 20;
const waitMsMin = 10;
const waitMsMax = 60_000;
const pauseMsMax = 3_600_000;
const throttleMsMax = 60_000;
/** Endpoints remembered; beyond that, idle ones are forgotten. */
const endpointsMax = 10_000;

export class EndpointGate {
  readonly #slots: number;
  readonly #random: () => number;
  readonly #endpoints = new Map<string, Endpoint>();
  #doubtfulInFlight = 0;

  constructor({ slots, random = Math.random }: GateOptions) {
    this.#slots = slots;
    this.#random = random;
  }

  /** 0 = go, and call `leave` afterwards; else milliseconds after which to ask again. */
  enter(origin: string, nowMs: number): number {
    const endpoint = this.#get(origin);
    if (endpoint.pausedUntilMs > nowMs) return this.#spread(endpoint.pausedUntilMs - nowMs);
    const isFull = endpoint.inFlight >= endpoint.limit;
    if (isFull || (!endpoint.trusted && this.#doubtfulInFlight >= this.#slots / 2)) return this.#book(endpoint, nowMs);
    if (endpoint.inFlight++ === 0) endpoint.silentSinceMs = nowMs;
    if (!endpoint.trusted) {
      endpoint.doubtfulInFlight++;
      this.#doubtfulInFlight++;
    }
    return 0;
  }

  leave(origin: string, seen: Impression, nowMs: number): void {
    const endpoint = this.#get(origin);
    endpoint.inFlight--;
    if (endpoint.doubtfulInFlight > 0) {
      endpoint.doubtfulInFlight--;
      this.#doubtfulInFlight--;
    }
    endpoint.trusted = seen.answered && seen.ms < quickMs;
    endpoint.meanMs = 0.7 * endpoint.meanMs + 0.3 * seen.ms;
    endpoint.silentSinceMs = nowMs;
    if (!seen.answered) endpoint.limit = 1;
    else if (seen.throttled) this.#throttle(endpoint, seen, nowMs);
    else if (endpoint.trusted) this.#widen(endpoint, nowMs);
  }

  #throttle(endpoint: Endpoint, seen: Impression, nowMs: number): void {
    endpoint.limit = Math.max(1, endpoint.limit >> 1);
    const ownMs = Math.min(throttleMsMax, 1000 * 2 ** Math.min(endpoint.throttles++, 6));
    const askedMs = seen.retryAfterSeconds === null ? ownMs : Math.min(pauseMsMax, seen.retryAfterSeconds * 1000);
    endpoint.pausedUntilMs = Math.max(endpoint.pausedUntilMs, nowMs + askedMs);
  }

  #widen(endpoint: Endpoint, nowMs: number): void {
    endpoint.throttles = 0;
    endpoint.limit = Math.min(this.#slots / 4, endpoint.limit * 2);
    // It is well: those who come next need not queue behind waits handed out while it was not.
    endpoint.bookedUntilMs = Math.min(endpoint.bookedUntilMs, nowMs + 1000);
  }

  #book(endpoint: Endpoint, nowMs: number): number {
    // Silence counts from the start: those who wait for a dead endpoint ask ever more rarely, not every few ms.
    const attemptMs =
      endpoint.inFlight === 0 ? endpoint.meanMs : Math.max(endpoint.meanMs, nowMs - endpoint.silentSinceMs);
    endpoint.bookedUntilMs = Math.max(endpoint.bookedUntilMs, nowMs) + attemptMs / endpoint.limit;
    return this.#spread(Math.min(waitMsMax, Math.max(waitMsMin, endpoint.bookedUntilMs - nowMs)));
  }

  #spread(ms: number): number {
    return Math.ceil(ms * (1 + 0.25 * this.#random()));
  }

  #get(origin: string): Endpoint {
    const known = this.#endpoints.get(origin);
    if (known) return known;
    if (this.#endpoints.size >= endpointsMax) this.#forgetOneIdle();
    const endpoint = {
      inFlight: 0,
      doubtfulInFlight: 0,
      limit: firstLimit,
      trusted: false,
      pausedUntilMs: 0,
      throttles: 0,
      meanMs: firstMeanMs,
      silentSinceMs: 0,
      bookedUntilMs: 0,
    };
    this.#endpoints.set(origin, endpoint);
    return endpoint;
  }

  #forgetOneIdle(): void {
    for (const [origin, { inFlight }] of this.#endpoints) {
      if (inFlight > 0) continue;
      this.#endpoints.delete(origin);
      return;
    }
  }
}
