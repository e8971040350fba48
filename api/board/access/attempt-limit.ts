/** How many wrong tokens are taken: ten a minute from one address, a hundred from all. Pure: it is handed the time. */

const windowMs = 60_000;
const perPeerMax = 10;
const allMax = 100;
/** Above `allMax` a minute none are counted, so this many addresses can never be in a window. */
const peersMax = 1000;

interface Tally {
  readonly sinceMs: number;
  count: number;
}

export class AttemptLimit {
  readonly #peers = new Map<string, Tally>();
  #all: Tally = { sinceMs: 0, count: 0 };

  /** Seconds until this address may try again; 0 when it may now. */
  secondsToWait(peer: string, nowMs: number): number {
    const waits = [waitMs(this.#peers.get(peer), perPeerMax, nowMs), waitMs(this.#all, allMax, nowMs)];
    return Math.ceil(Math.max(...waits) / 1000);
  }

  countWrong(peer: string, nowMs: number): void {
    this.#all = grown(this.#all, nowMs);
    this.#peers.set(peer, grown(this.#peers.get(peer), nowMs));
    if (this.#peers.size <= peersMax) return;
    for (const [name, { sinceMs }] of this.#peers) if (nowMs - sinceMs >= windowMs) this.#peers.delete(name);
  }
}

function waitMs(tally: Tally | undefined, max: number, nowMs: number): number {
  return tally === undefined || tally.count < max ? 0 : Math.max(0, tally.sinceMs + windowMs - nowMs);
}

function grown(tally: Tally | undefined, nowMs: number): Tally {
  return tally === undefined || nowMs - tally.sinceMs >= windowMs
    ? { sinceMs: nowMs, count: 1 }
    : { sinceMs: tally.sinceMs, count: tally.count + 1 };
}
