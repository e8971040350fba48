/**
 * Triangular filters that gather the bins of a spectrum on the mel scale, as Slaney's Auditory Toolbox (librosa's and
 * Whisper's choice): linear below 1 kHz, logarithmic above, each triangle of equal area. Pure.
 */

/** One triangle: weights of the bins from `from` on; all others are zero. */
export interface MelFilter {
  readonly from: number;
  readonly weights: Float64Array;
}

export interface MelScale {
  readonly sampleRate: number;
  readonly fftSize: number;
  readonly mels: number;
  /** Upper edge of the last triangle. */
  readonly hertzMax: number;
}

export function melFilters({ sampleRate, fftSize, mels, hertzMax }: MelScale): MelFilter[] {
  const melMax = toMel(hertzMax);
  const edges = Array.from({ length: mels + 2 }, (_, index) => toHertz((melMax * index) / (mels + 1)));
  const bins = 1 + Math.floor(fftSize / 2);
  const hertzPerBin = Math.floor(sampleRate / 2) / (bins - 1);
  return Array.from({ length: mels }, (_, index) => {
    const [low = 0, top = 0, high = 0] = edges.slice(index, index + 3);
    const heights = Array.from({ length: bins }, (_, bin) => {
      const hertz = bin * hertzPerBin;
      const slope = Math.min((hertz - low) / (top - low), (high - hertz) / (high - top));
      return (Math.max(0, slope) * 2) / (high - low);
    });
    const from = Math.max(
      0,
      heights.findIndex((height) => height > 0),
    );
    const to = heights.findLastIndex((height) => height > 0) + 1;
    return { from, weights: Float64Array.from(heights.slice(from, Math.max(from, to))) };
  });
}

const hertzOfBreak = 1000;
const melOfBreak = 15;
const logStep = Math.log(6.4) / 27;

function toMel(hertz: number): number {
  return hertz < hertzOfBreak ? (3 * hertz) / 200 : melOfBreak + Math.log(hertz / hertzOfBreak) / logStep;
}

function toHertz(mel: number): number {
  return mel < melOfBreak ? (200 * mel) / 3 : hertzOfBreak * Math.exp(logStep * (mel - melOfBreak));
}
