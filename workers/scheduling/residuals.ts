/**
 * How far calls miss their prediction: a histogram of measured over predicted time, on a logarithmic scale, in which old
 * calls fade. Says the factor that 99 of 100 calls stay below. Pure.
 */

/** An old call weighs half after 140: a quantile of 99 needs a hundred calls to mean anything. */
const forgetting = 0.995;
/** From a quarter of the prediction to 16 times it, in steps of 19 % (a quarter of an octave). */
const stepsPerOctave = 4;
const octavesBelow = 2;
const bins = 24;
/** Before there are calls to count, a call is taken to miss by this: two lanes on a shared machine were seen to. */
const priorQ99 = 1.5;
const priorWeight = 3;

export class Residuals {
  readonly #weights: Float64Array;
  #total: number;
  #q99 = priorQ99;

  /** `weights`: those of an earlier process, bin by bin. */
  constructor(weights: readonly number[] = []) {
    this.#weights = Float64Array.from({ length: bins }, (_, bin) => weights[bin] ?? 0);
    this.#total = this.#weights.reduce((sum, weight) => sum + weight, 0);
    if (this.#total > 0) this.#q99 = this.#blendQ99();
  }

  get weights(): readonly number[] {
    return [...this.#weights];
  }

  /** Factor on the prediction, 1 at least. */
  get q99(): number {
    return this.#q99;
  }

  observe(ratio: number): void {
    const bin = Math.floor(stepsPerOctave * (Math.log2(Math.max(ratio, 1e-9)) + octavesBelow));
    for (let i = 0; i < bins; i++) this.#weights[i] = (this.#weights[i] as number) * forgetting;
    const at = Math.min(bins - 1, Math.max(0, bin));
    this.#weights[at] = (this.#weights[at] as number) + 1;
    this.#total = forgetting * this.#total + 1;
    this.#q99 = this.#blendQ99();
  }

  #blendQ99(): number {
    return Math.max(1, (priorWeight * priorQ99 + this.#total * this.#readQ99()) / (priorWeight + this.#total));
  }

  /** Upper edge of the bin that holds the quantile. */
  #readQ99(): number {
    let above = 0.01 * this.#total;
    for (let bin = bins - 1; bin >= 0; bin--) {
      above -= this.#weights[bin] as number;
      if (above < 0) return 2 ** ((bin + 1) / stepsPerOctave - octavesBelow);
    }
    return 1;
  }
}
