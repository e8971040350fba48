/**
 * Arithmetic on samples that wav2vec2 and its kin share: normalising, counting frames, cutting long recordings into
 * overlapping windows. Pure.
 */

/** Zero mean and unit variance, as Wav2Vec2FeatureExtractor: the 1e-7 keeps silence finite. In place. */
export function normalizeWave(samples: Float32Array): void {
  let sum = 0;
  for (const sample of samples) sum += sample;
  const mean = sum / samples.length;
  let squares = 0;
  for (const sample of samples) squares += (sample - mean) ** 2;
  const scale = 1 / Math.sqrt(squares / samples.length + 1e-7);
  for (let at = 0; at < samples.length; at++) samples[at] = ((samples[at] ?? 0) - mean) * scale;
}

/** The strided convolutions in front of the model: samples in, frames out. */
export interface FrameGrid {
  readonly kernels: readonly number[];
  readonly strides: readonly number[];
}

export function countFrames(samples: number, grid: FrameGrid): number {
  const frames = grid.kernels.reduce(
    (length, kernel, layer) => Math.floor((length - kernel) / (grid.strides[layer] ?? 1)) + 1,
    samples,
  );
  return Math.max(0, frames);
}

/** Samples per frame. */
export function frameStep(grid: FrameGrid): number {
  return grid.strides.reduce((product, stride) => product * stride, 1);
}

export interface WaveWindow {
  readonly from: number;
  readonly to: number;
  /** Samples at either end that only lend context: their frames are dropped, the neighbour has them. */
  readonly contextLeft: number;
  readonly contextRight: number;
}

/**
 * Hugging Face's chunking: windows of `length` that overlap by twice `context`, all borders on the frame grid, so that
 * the kept frames of all windows are exactly the frames of the whole.
 */
export function cutWindows(samples: number, length: number, context: number): WaveWindow[] {
  if (samples <= length) return [{ from: 0, to: samples, contextLeft: 0, contextRight: 0 }];
  const windows: WaveWindow[] = [];
  for (let from = 0; ; from += length - 2 * context) {
    const to = Math.min(from + length, samples);
    const isLast = to === samples;
    windows.push({ from, to, contextLeft: from === 0 ? 0 : context, contextRight: isLast ? 0 : context });
    if (isLast) return windows;
  }
}
