/**
 * Samples at another rate by a bank of windowed sincs, one filter per phase of the exact ratio: the method and the numbers
 * of ffmpeg's own resampler (32 taps, cut at 0.97, Kaiser window of 9, ends mirrored), so that a recording sounds the same
 * to a model whichever of the two read it. Pure.
 */

/** Before the cut; an even number is used. */
const tapsUsual = 32;
const cutoff = 0.97;
const kaiserBeta = 9;
/** More phases than this ffmpeg interpolates; such odd rates are left to it. */
const phasesMax = 1024;
/** Of 405,000 numbers at most, and callers choose the rates. */
const banksMax = 8;

interface FilterBank {
  readonly phases: number;
  readonly taps: number;
  /** Input samples per `phases` output samples. */
  readonly step: number;
  /** `taps` weights per phase. */
  readonly weights: Float32Array;
}

const banks = new Map<string, FilterBank>();

export function canResample(from: number, to: number): boolean {
  return from === to || to / greatestDivisor(from, to) <= phasesMax;
}

export function resampleWave(samples: Float32Array<ArrayBuffer>, from: number, to: number): Float32Array<ArrayBuffer> {
  if (from === to || samples.length === 0) return samples;
  const { phases, taps, step, weights } = bankOf(from, to);
  const before = (taps - 1) >> 1;
  const padded = mirrorEnds(samples, before, taps);
  const result = new Float32Array(Math.ceil((samples.length * phases) / step));
  for (let at = 0; at < result.length; at++) {
    const position = at * step;
    const start = Math.floor(position / phases);
    const base = (position % phases) * taps;
    let sum = 0;
    for (let tap = 0; tap < taps; tap++) sum += (padded[start + tap] as number) * (weights[base + tap] as number);
    result[at] = sum;
  }
  return result;
}

/** Around its first sample, and behind its last one. */
function mirrorEnds(samples: Float32Array, before: number, after: number): Float32Array {
  const last = samples.length - 1;
  const padded = new Float32Array(before + samples.length + after);
  padded.set(samples, before);
  for (let at = 1; at <= before; at++) padded[before - at] = samples[Math.min(at, last)] as number;
  for (let at = 0; at < after; at++) padded[before + last + 1 + at] = samples[Math.max(0, last - at)] as number;
  return padded;
}

function bankOf(from: number, to: number): FilterBank {
  const key = `${from}:${to}`;
  const known = banks.get(key);
  if (known) return known;
  if (!canResample(from, to)) throw new Error(`${from} to ${to} Hz has more than ${phasesMax} phases.`);
  const [oldest] = banks.keys();
  if (oldest !== undefined && banks.size >= banksMax) banks.delete(oldest);
  const bank = makeBank(from, to);
  banks.set(key, bank);
  return bank;
}

function makeBank(from: number, to: number): FilterBank {
  const divisor = greatestDivisor(from, to);
  const phases = to / divisor;
  const factor = Math.min((to * cutoff) / from, 1);
  const taps = 2 * Math.ceil(tapsUsual / factor / 2);
  const centre = (taps - 1) >> 1;
  const weights = new Float64Array(phases * taps);
  for (let phase = 0; phase < phases; phase++) {
    for (let tap = 0; tap < taps; tap++)
      weights[phase * taps + tap] = weightAt(tap - centre - phase / phases, factor, taps);
  }
  // So that a constant stays what it is.
  const whole = weights.subarray(0, taps).reduce((sum, weight) => sum + weight, 0);
  return { phases, taps, step: from / divisor, weights: Float32Array.from(weights, (weight) => weight / whole) };
}

function weightAt(distance: number, factor: number, taps: number): number {
  const x = Math.PI * distance * factor;
  const window = (2 * distance) / taps;
  return (x === 0 ? 1 : Math.sin(x) / x) * bessel(kaiserBeta * Math.sqrt(Math.max(1 - window * window, 0)));
}

/** I0, by its series: 40 terms are exact to a double for arguments up to 9. */
function bessel(x: number): number {
  let term = 1;
  let sum = 1;
  for (let k = 1; k <= 40; k++) {
    term *= (x / (2 * k)) ** 2;
    sum += term;
  }
  return sum;
}

function greatestDivisor(a: number, b: number): number {
  return b === 0 ? a : greatestDivisor(b, a % b);
}
