/**
 * What a call costs, fitted online for one model: t(n, L) = a + b*nL + c*nL^2 on the relative error with forgetting, times
 * a correction per bucket of rows and length that catches what the curve can not (cache cliffs, narrow kernels). Pure.
 * Source: batch latency follows padded tokens, not rows: mean error 63 % for a + b*n, 13 % for a + b*nL, 9 % with c.
 *
 * The fit is ridge regression on decayed sums, by coordinate descent with coefficients >= 0. Recursive least squares is
 * the usual choice and blew up here: with images every row has length 1, b and c are one feature, and the covariance
 * grows without end (a prediction of 43,000 s was seen).
 */

/** An old call weighs half after 140: with 35 the curve swung with the mix of lengths, and 1 to 2 % of throughput with it. */
const forgetting = 0.995;
/** Pull towards the prior, in observations: enough to settle what the data leaves open, too little to bend what it says. */
const ridge = 0.05;
const descentRounds = 20;
const correctionRate = 0.1;
/**
 * A size that never ran is taken to cost this much of what its relatives say, so that it is tried once. Without it single
 * rows, whose own correction said that they are cheap, were never joined, and larger calls never seen: 0.24 of the best.
 * The same of a size that only an earlier process ran: what it remembers of it may have been a bad day.
 */
const untriedFactor = 0.9;

export type Triple = [number, number, number];

/** All that a curve knows, as plain data: it outlives the process. */
export interface CurveMemory {
  /** a, b, c of the scaled features [1, P, nL^2]. */
  readonly theta: Readonly<Triple>;
  readonly prior: Readonly<Triple>;
  /** Makes every feature 1 at the first call seen. */
  readonly scale: Readonly<Triple>;
  /** Decayed sums of x*x' and x*1, with x divided by the measured time. */
  readonly squares: readonly [Readonly<Triple>, Readonly<Triple>, Readonly<Triple>];
  readonly sums: Readonly<Triple>;
  /** By bucket. */
  readonly corrections: readonly (readonly [number, number])[];
}

export class LatencyCurve {
  #theta: Triple;
  readonly #prior: Triple;
  readonly #scale: Triple;
  readonly #squares: [Triple, Triple, Triple];
  readonly #sums: Triple;
  readonly #corrections = new Map<number, number>();
  /** What an earlier process saw of a bucket that has had no call here. */
  readonly #remembered: ReadonlyMap<number, number>;
  /** By bucket, what the curve is corrected by; NaN until somebody asks, and again after each call. */
  readonly #factors = new Float64Array(buckets).fill(Number.NaN);

  constructor({ theta, prior, scale, squares: [a, b, c], sums, corrections }: CurveMemory) {
    this.#theta = [...theta];
    this.#prior = [...prior];
    this.#scale = [...scale];
    this.#squares = [[...a], [...b], [...c]];
    this.#sums = [...sums];
    this.#remembered = new Map(corrections);
  }

  /** The first call tells only a sum: one tenth is taken as fixed, the rest as proportional to padded units. */
  static ofCall(rows: number, length: number, ms: number): LatencyCurve {
    const padded = rows * length;
    const theta: Triple = [0.1 * ms, 0.9 * ms, 0];
    const none: Triple = [0, 0, 0];
    const scale: Triple = [1, 1 / padded, 1 / (padded * length)];
    return new LatencyCurve({ theta, prior: theta, scale, squares: [none, none, none], sums: none, corrections: [] });
  }

  get memory(): CurveMemory {
    return {
      theta: this.#theta,
      prior: this.#prior,
      scale: this.#scale,
      squares: this.#squares,
      sums: this.#sums,
      corrections: [...new Map([...this.#remembered, ...this.#corrections])],
    };
  }

  ms(rows: number, length: number): number {
    const bucket = bucketOf(rows, length);
    let factor = this.#factors[bucket] as number;
    if (Number.isNaN(factor)) {
      factor = this.#factorOf(bucket);
      this.#factors[bucket] = factor;
    }
    return Math.max(0.01, this.#rawMs(rows, length) * factor);
  }

  observe(rows: number, length: number, ms: number): void {
    const expected = Math.max(0.01, this.#rawMs(rows, length));
    // A spike (page fault, stolen core) does not bend the curve: the relative error gives it the weight of its inverse square.
    const seen = Math.max(0.01, ms);
    const bucket = bucketOf(rows, length);
    const correction = this.#known(bucket) ?? this.#relativeOf(bucket);
    this.#corrections.set(bucket, correction + correctionRate * (clamp(seen / expected, 0.5, 2) - correction));
    this.#factors.fill(Number.NaN);
    this.#absorb(rows, length, seen);
  }

  /** What was seen here; else what an earlier process saw, or relatives did, a little cheaper. */
  #factorOf(bucket: number): number {
    const seen = this.#corrections.get(bucket);
    if (seen !== undefined) return seen;
    return untriedFactor * (this.#remembered.get(bucket) ?? this.#relativeOf(bucket));
  }

  #known(bucket: number): number | undefined {
    return this.#corrections.get(bucket) ?? this.#remembered.get(bucket);
  }

  /** Of the most rows below that ran at this length; 1 when none did. */
  #relativeOf(bucket: number): number {
    for (let fewer = bucket - rowStep; fewer >= 0; fewer -= rowStep) {
      const correction = this.#known(fewer);
      if (correction !== undefined) return correction;
    }
    return 1;
  }

  /** Written out: a partition asks some thousand times per call. */
  #rawMs(rows: number, length: number): number {
    const padded = rows * length;
    const [a, b, c] = this.#theta;
    return a + b * padded * this.#scale[1] + c * padded * length * this.#scale[2];
  }

  #absorb(rows: number, length: number, ms: number): void {
    const padded = rows * length;
    const x: Triple = [1 / ms, (padded * this.#scale[1]) / ms, (padded * length * this.#scale[2]) / ms];
    for (const i of [0, 1, 2] as const) {
      for (const j of [0, 1, 2] as const) this.#squares[i][j] = forgetting * this.#squares[i][j] + x[i] * x[j];
      this.#sums[i] = forgetting * this.#sums[i] + x[i];
    }
    const typical = this.#prior[0] + this.#prior[1] + this.#prior[2];
    const pull = ridge / (typical * typical);
    for (let round = 0; round < descentRounds; round++) {
      for (const i of [0, 1, 2] as const) {
        const others = this.#squares[i].reduce(
          (sum, value, j) => (j === i ? sum : sum + value * (this.#theta[j] ?? 0)),
          0,
        );
        this.#theta[i] = Math.max(0, (this.#sums[i] + pull * this.#prior[i] - others) / (this.#squares[i][i] + pull));
      }
    }
  }
}

/** Half octaves up to 2^31 of rows and of length. */
const rowStep = 64;
const buckets = rowStep * rowStep;
/** Of small numbers, ready: a partition asks for ten thousand, and logarithms were half of its time. */
const halfOctaves = Uint8Array.from({ length: 4096 }, (_, value) => halfOctaveOf(value));

/** Half octaves of rows and of length: kernels are narrow in one and caches full by the other. */
function bucketOf(rows: number, length: number): number {
  return rowStep * readHalfOctave(rows) + readHalfOctave(length);
}

function readHalfOctave(value: number): number {
  return halfOctaves[value] ?? halfOctaveOf(value);
}

function halfOctaveOf(value: number): number {
  return Math.min(rowStep - 1, Math.round(2 * Math.log2(Math.max(1, value))));
}

function clamp(value: number, low: number, high: number): number {
  return Math.min(high, Math.max(low, value));
}
