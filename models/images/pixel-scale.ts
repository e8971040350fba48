/**
 * The last step of an image processor as a table: byte -> model input, per channel. Pixels then travel to the lane as
 * bytes, a quarter of the floats (147 KB instead of 588 for 224 x 224), and are scaled where they are used. Rounds to
 * float32 where numpy does, so the result is equal to the last bit.
 */
import type { ScalePlan } from './processor-plan.ts';

/** One table of 256 per channel. */
export type PixelScale = readonly Float32Array[];

export function makePixelScale(plan: ScalePlan): PixelScale {
  const { fround } = Math;
  return plan.means.map((mean, channel) => {
    const deviation = fround(plan.deviations[channel] ?? 1);
    return Float32Array.from({ length: 256 }, (_, byte) => {
      let value = plan.factor === null ? byte : fround(byte * plan.factor);
      if (plan.isCentred) value = fround(value - 1);
      if (plan.normalizes) value = fround(fround(value - fround(mean)) / deviation);
      return plan.dividesTwice ? fround(value / deviation) : value;
    });
  });
}

/** Writes [channels, ...] bytes as floats into `target` from `offset` on. */
export function scalePixels(bytes: Uint8Array, scale: PixelScale, target: Float32Array, offset: number): void {
  const plane = bytes.length / scale.length;
  for (const [channel, table] of scale.entries()) {
    const end = (channel + 1) * plane;
    for (let i = channel * plane; i < end; i++) target[offset + i] = table[bytes[i] as number] as number;
  }
}
