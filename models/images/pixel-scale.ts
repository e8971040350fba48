/**
 * The last step of an image processor as a table: byte -> model input, per channel. Pixels then travel to the lane as
 * bytes, a quarter of the floats (147 KB instead of 588 for 224 x 224), and are scaled where they are used. Rounds after
 * each operation as the processor's own Float32Array does, so the result is equal to the last bit.
 */
import type { Json } from '../repository/version-files.ts';

/** One table of 256 per channel. */
export type PixelScale = readonly Float32Array[];

const imagenetFactor = 1 / 255;

/** From preprocessor_config.json, with the defaults that Hugging Face's processors have. */
export function readPixelScale(processor: Json, channels = 3): PixelScale {
  const rescales = processor['do_rescale'] !== false;
  const factor = typeof processor['rescale_factor'] === 'number' ? processor['rescale_factor'] : imagenetFactor;
  const normalizes = processor['do_normalize'] !== false;
  const means = perChannel(processor['image_mean'] ?? processor['mean'], channels, 0);
  const deviations = perChannel(processor['image_std'] ?? processor['std'], channels, 1);
  return Array.from({ length: channels }, (_, channel) =>
    Float32Array.from({ length: 256 }, (_, byte) => {
      const rescaled = rescales ? Math.fround(factor * byte) : byte;
      if (!normalizes) return rescaled;
      return Math.fround((rescaled - (means[channel] ?? 0)) / (deviations[channel] ?? 1));
    }),
  );
}

/** Writes [channels, ...] bytes as floats into `target` from `offset` on. */
export function scalePixels(bytes: Uint8Array, scale: PixelScale, target: Float32Array, offset: number): void {
  const plane = bytes.length / scale.length;
  for (const [channel, table] of scale.entries()) {
    const end = (channel + 1) * plane;
    for (let i = channel * plane; i < end; i++) target[offset + i] = table[bytes[i] as number] as number;
  }
}

function perChannel(value: unknown, channels: number, fallback: number): number[] {
  if (Array.isArray(value)) return value.map(Number);
  return new Array<number>(channels).fill(typeof value === 'number' ? value : fallback);
}
