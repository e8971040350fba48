/**
 * The devices that are simulated: two measured (MiniLM on one thread of a CPU, fp32 and int8), and three that are stated,
 * each for what a CPU encoder does not have: a GPU on which rows are nearly free until it is full, a decoder's step, and a
 * cache cliff that no smooth curve shows.
 */
import type { CallMs } from './latency-table.ts';
import { interpolate, readTable } from './latency-table.ts';

export type DeviceName = 'minilm-fp32' | 'minilm-int8' | 'gpu' | 'decoder-step' | 'cliff';

export function deviceOf(name: DeviceName): CallMs {
  if (name === 'gpu') return gpuMs;
  if (name === 'decoder-step') return decoderMs;
  if (name === 'cliff') return cliffMs;
  return interpolate(readTable(name));
}

/** Launches cost 4 ms; 8,192 tokens fill the device, and from there time follows them. */
function gpuMs(rows: number, length: number): number {
  return 4 + Math.max(0, rows * length - 8192) * 0.0006 + rows * length * 0.0001;
}

/** One step of a whisper-base-shaped decoder: 5.4 ms for one row, 10.2 for 8, 15.0 for 16 (measured). */
function decoderMs(rows: number, _length: number): number {
  return 4.75 + 0.645 * rows;
}

/** Below 1,024 padded units they fit into the cache, above each costs 2.5 times as much. */
function cliffMs(rows: number, length: number): number {
  const padded = rows * length;
  return 2 + 0.02 * padded * (padded > 1024 ? 2.5 : 1);
}
