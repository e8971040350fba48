/**
 * Cuts a long recording into windows at its pauses, so that no word is cut and nothing is heard twice. A pause is told
 * by its energy alone; where there is none (music, noise, somebody who does not breathe) the neighbours overlap. Pure.
 */
import type { WaveWindow } from './waveform.ts';

export interface PauseOptions {
  readonly sampleRate: number;
  /** Longest window, in samples. */
  readonly length: number;
  /** What a neighbour hears as well on either side of a border without a pause, in samples. */
  readonly context: number;
}

/** Gaps between words that may be cut last this long; the closures of stops ("t", "k") are shorter. */
const pauseSeconds = 0.2;
/** 12 dB below the mean of the window: a pause in clean speech is 20 to 40 below, between loud words hardly any. */
const pausePowerShare = 1 / 16;
const blockSeconds = 0.01;

/** Windows in order, which together are the whole. A cut is looked for in the second half of a window. */
export function cutAtPauses(samples: Float32Array, { sampleRate, length, context }: PauseOptions): WaveWindow[] {
  const block = Math.round(blockSeconds * sampleRate);
  const power = blockPowers(samples, block);
  const windows: WaveWindow[] = [];
  let from = 0;
  let contextLeft = 0;
  while (samples.length - from > length) {
    const pause = findPause(power.subarray(Math.floor(from / block), Math.floor((from + length) / block)));
    const to = pause === null ? from + length : (Math.floor(from / block) + pause) * block;
    const contextRight = pause === null ? context : 0;
    windows.push({ from, to, contextLeft, contextRight });
    from = to - 2 * contextRight;
    contextLeft = contextRight;
  }
  return [...windows, { from, to: samples.length, contextLeft, contextRight: 0 }];
}

/** Mean square of each block. */
function blockPowers(samples: Float32Array, block: number): Float64Array {
  const powers = new Float64Array(Math.floor(samples.length / block));
  for (let index = 0; index < powers.length; index++) {
    let sum = 0;
    for (let at = index * block; at < (index + 1) * block; at++) sum += (samples[at] as number) ** 2;
    powers[index] = sum / block;
  }
  return powers;
}

/** Middle of the quietest stretch in the second half, the last of equals; null when it is not quiet enough. */
function findPause(powers: Float64Array): number | null {
  const width = Math.round(pauseSeconds / blockSeconds);
  const mean = powers.reduce((sum, power) => sum + power, 0) / powers.length;
  let best: number | null = null;
  let quietest = mean * pausePowerShare;
  for (let start = Math.floor(powers.length / 2); start + width <= powers.length; start++) {
    let sum = 0;
    for (let at = start; at < start + width; at++) sum += powers[at] as number;
    if (sum / width > quietest) continue;
    quietest = sum / width;
    best = start + width / 2;
  }
  return best;
}
