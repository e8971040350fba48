/**
 * The discrete Fourier transform of complex numbers, of any length, planned once and run often: Stockham's form of
 * Cooley-Tukey, which needs no reordering. Speech frames are 400 samples, 4 x 4 x 5 x 5. In double precision: in single
 * precision the quiet bins of a loud frame drown.
 */

/** Real and imaginary parts, of one length. */
export interface ComplexArray {
  readonly re: Float64Array;
  readonly im: Float64Array;
}

export interface FourierTransform {
  /** The transform of `input`. The result's arrays are the plan's own, and used again by the next run. */
  run(input: ComplexArray): ComplexArray;
}

/** Joins `radix` transforms of length `span` to one of `span * radix`. */
interface Stage {
  readonly radix: number;
  readonly span: number;
  /** exp(-2 pi i q k / (span * radix)) at [k * radix + q]. */
  readonly twiddles: ComplexArray;
  /** exp(-2 pi i q j / radix) at [j * radix + q]. */
  readonly roots: ComplexArray;
}

export function planFourier(length: number): FourierTransform {
  const stages: Stage[] = [];
  for (let span = 1; span < length; ) {
    const radix = nextRadix(length / span);
    stages.push({ radix, span, twiddles: rootTable(span, radix, span * radix), roots: rootTable(radix, radix, radix) });
    span *= radix;
  }
  const results = [complexArray(length), complexArray(length)] as const;
  const legs = complexArray(Math.max(1, ...stages.map(({ radix }) => radix)));
  return {
    run(input) {
      let from = input;
      for (const [index, stage] of stages.entries()) {
        const to = results[index % 2 === 0 ? 0 : 1];
        runStage(stage, from, to, legs);
        from = to;
      }
      return from;
    },
  };
}

export function complexArray(length: number): ComplexArray {
  return { re: new Float64Array(length), im: new Float64Array(length) };
}

function nextRadix(rest: number): number {
  for (const radix of [4, 5, 2, 3]) if (rest % radix === 0) return radix;
  for (let radix = 7; radix * radix <= rest; radix += 2) if (rest % radix === 0) return radix;
  return rest;
}

function rootTable(rows: number, columns: number, period: number): ComplexArray {
  const table = complexArray(rows * columns);
  for (let at = 0; at < rows * columns; at++) {
    const angle = (-2 * Math.PI * ((Math.floor(at / columns) * (at % columns)) % period)) / period;
    table.re[at] = Math.cos(angle);
    table.im[at] = Math.sin(angle);
  }
  return table;
}

function runStage({ radix, span, twiddles, roots }: Stage, from: ComplexArray, to: ComplexArray, legs: ComplexArray) {
  const stride = from.re.length / radix;
  for (let at = 0; at < stride; at++) {
    const k = at % span;
    for (let q = 0; q < radix; q++) {
      const re = from.re[at + q * stride] as number;
      const im = from.im[at + q * stride] as number;
      const cos = twiddles.re[k * radix + q] as number;
      const sin = twiddles.im[k * radix + q] as number;
      legs.re[q] = re * cos - im * sin;
      legs.im[q] = re * sin + im * cos;
    }
    const base = (at - k) * radix + k;
    for (let j = 0; j < radix; j++) {
      let [sumRe, sumIm] = [0, 0];
      for (let q = 0; q < radix; q++) {
        const cos = roots.re[j * radix + q] as number;
        const sin = roots.im[j * radix + q] as number;
        sumRe += (legs.re[q] as number) * cos - (legs.im[q] as number) * sin;
        sumIm += (legs.re[q] as number) * sin + (legs.im[q] as number) * cos;
      }
      to.re[base + j * span] = sumRe;
      to.im[base + j * span] = sumIm;
    }
  }
}
