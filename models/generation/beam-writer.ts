/**
 * Beam search as transformers 4.57 does it, so that tokens are the same: log-probabilities before constraints, twice as
 * many candidates as beams (more with several stop tokens), a finished beam scored by its log-probability over its length
 * to the power of the length penalty. One row's beams are neighbouring lines of the batch.
 */
import type { SequenceStart, Written } from '../task.ts';
import { logSum } from './pick-token.ts';
import type { NextTokens, Writer } from './writer.ts';

interface Beam {
  readonly ids: readonly number[];
  readonly logProbs: readonly number[];
  readonly sum: number;
  readonly line: number;
}

interface FinishedBeam extends Beam {
  readonly score: number;
  readonly reason: Written['reason'];
}

interface Candidate {
  readonly line: number;
  readonly id: number;
  readonly sum: number;
}

/** Beams that are none yet: at first all lines are alike, and only the first may go on. */
const noSum = -1e9;

export class BeamWriter implements Writer {
  readonly width: number;
  written: Written | null = null;
  readonly #start: SequenceStart;
  readonly #stops: ReadonlySet<number>;
  #running: readonly Beam[];
  #finished: readonly FinishedBeam[] = [];

  constructor(start: SequenceStart) {
    this.#start = start;
    this.width = start.sampling.beams ?? 1;
    this.#stops = new Set(start.stopIds);
    this.#running = Array.from({ length: this.width }, (_, line) => ({
      ids: [],
      logProbs: [],
      sum: line === 0 ? 0 : noSum,
      line,
    }));
  }

  take(logits: readonly Float32Array[]): NextTokens | null {
    for (const [line, own] of logits.entries()) this.#toLogProbs(own, line);
    const best = this.#bestCandidates(logits);
    if (best === null) return null;
    const grown = best.map((candidate) => this.#grow(candidate, logits));
    const length = (grown[0] as Beam).ids.length;
    const endings = grown.map((beam) => this.#endingOf(beam));
    this.#finish(grown, endings, length);
    this.#running = grown.filter((_, index) => endings[index] === null).slice(0, this.width);
    if (this.#isDone(length)) return this.#end();
    return { ids: this.#running.map(({ ids }) => ids.at(-1) as number), from: this.#running.map(({ line }) => line) };
  }

  #toLogProbs(logits: Float32Array, line: number): void {
    const most = logits.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY);
    const log = most + logSum(logits, most);
    for (let id = 0; id < logits.length; id++) logits[id] = (logits[id] as number) - log;
    this.#start.constrain?.(logits, (this.#running[line] as Beam).ids);
  }

  /** Null when some log-probability is no number. By falling sum; of equal sums the earlier line, the smaller id. */
  #bestCandidates(logits: readonly Float32Array[]): Candidate[] | null {
    const count = Math.max(2, 1 + this.#stops.size) * this.width;
    const best: Candidate[] = [];
    for (const [line, { sum }] of this.#running.entries()) {
      const own = logits[line] as Float32Array;
      for (let id = 0; id < own.length; id++) {
        const total = sum + (own[id] as number);
        if (Number.isNaN(total)) return null;
        if (best.length === count && total <= (best[count - 1] as Candidate).sum) continue;
        if (total === Number.NEGATIVE_INFINITY) continue;
        let at = best.length;
        while (at > 0 && (best[at - 1] as Candidate).sum < total) at--;
        best.splice(at, 0, { line, id, sum: total });
        if (best.length > count) best.pop();
      }
    }
    return best.length < this.width ? null : best;
  }

  #grow({ line, id, sum }: Candidate, logits: readonly Float32Array[]): Beam {
    const parent = this.#running[line] as Beam;
    const logProb = logits[line]?.[id] as number;
    return { ids: [...parent.ids, id], logProbs: [...parent.logProbs, logProb], sum, line };
  }

  #endingOf({ ids }: Beam): Written['reason'] | null {
    if (this.#stops.has(ids.at(-1) as number)) return 'stop';
    if (this.#start.endsEarly?.(ids)) return 'stop';
    return ids.length >= this.#start.tokensMax ? 'length' : null;
  }

  /** Of the candidates only the first `width` may end a beam: the others are there so that enough go on. */
  #finish(grown: readonly Beam[], endings: readonly (Written['reason'] | null)[], length: number): void {
    const { lengthPenalty = 1, earlyStopping = false } = this.#start.sampling;
    if (earlyStopping && this.#finished.length >= this.width) return;
    const ended = grown.slice(0, this.width).flatMap((beam, index): FinishedBeam[] => {
      const reason = endings[index];
      return reason ? [{ ...beam, reason, score: beam.sum / length ** lengthPenalty }] : [];
    });
    this.#finished = [...this.#finished, ...ended].sort((a, b) => b.score - a.score).slice(0, this.width);
  }

  #isDone(length: number): boolean {
    if (this.#running.length < this.width) return true;
    const { lengthPenalty = 1, earlyStopping = false } = this.#start.sampling;
    if (this.#finished.length < this.width) return false;
    const possible = (this.#running[0] as Beam).sum / length ** lengthPenalty;
    return earlyStopping || possible <= (this.#finished.at(-1) as FinishedBeam).score;
  }

  #end(): null {
    const [best] = this.#finished;
    if (!best) return null;
    const hasStopToken = this.#stops.has(best.ids.at(-1) as number);
    const logProbs = Float32Array.from(this.#start.skipLogProbs ? [] : best.logProbs);
    this.written = { ids: hasStopToken ? best.ids.slice(0, -1) : best.ids, logProbs, reason: best.reason };
    return null;
  }
}
