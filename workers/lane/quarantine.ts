/**
 * When a model is set aside, and for how long. Pure: crash times in, pauses out. A crash while loading counts at once; a
 * crash in a call counts when several come without a good call between, since one poison row is the row's fault.
 */
const crashesInARow = 6;
const firstPauseMs = 1000;
const pauseMaxMs = 300_000;

interface History {
  crashes: number;
  quarantines: number;
  asideUntilMs: number;
}

export class Quarantine {
  readonly #histories = new Map<string, History>();

  isAside(model: string, nowMs: number): boolean {
    return (this.#histories.get(model)?.asideUntilMs ?? 0) > nowMs;
  }

  /** Ms to set the model aside, 0 for not yet. */
  countCrash(model: string, nowMs: number): number {
    const history = this.#history(model);
    history.crashes++;
    return history.crashes >= crashesInARow ? this.#setAside(history, nowMs) : 0;
  }

  countLoadCrash(model: string, nowMs: number): number {
    return this.#setAside(this.#history(model), nowMs);
  }

  /** A good call: the row of crashes is over, and the next pause starts short again. */
  countSuccess(model: string): void {
    const history = this.#histories.get(model);
    if (!history) return;
    history.crashes = 0;
    history.quarantines = 0;
  }

  forget(model: string): void {
    this.#histories.delete(model);
  }

  #setAside(history: History, nowMs: number): number {
    const pauseMs = Math.min(pauseMaxMs, firstPauseMs * 2 ** history.quarantines);
    history.quarantines++;
    history.crashes = 0;
    history.asideUntilMs = nowMs + pauseMs;
    return pauseMs;
  }

  #history(model: string): History {
    let history = this.#histories.get(model);
    if (!history) {
      history = { crashes: 0, quarantines: 0, asideUntilMs: 0 };
      this.#histories.set(model, history);
    }
    return history;
  }
}
