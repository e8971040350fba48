/**
 * The one door to @huggingface/transformers: its image processors, which know how each architecture resizes, crops and
 * scales. It loads onnxruntime by itself and weighs 100 MB, so it is imported late and in preparation threads only,
 * and never reaches for the hub.
 */
import { resolve } from 'node:path';
import type { RgbImage } from './decode-image.ts';
import { type PixelScale, scalePixels } from './pixel-scale.ts';
import { filterOf, resample } from './resample.ts';

/** [channels, height, width]: bytes still to be scaled where the last step is a plain table, else what the model takes. */
export interface PixelValues {
  readonly dims: readonly number[];
  readonly data: Float32Array<ArrayBuffer> | Uint8Array<ArrayBuffer>;
}

export type ImageProcessor = (image: RgbImage) => Promise<PixelValues>;

/** The processor that preprocessor_config.json of a version folder names; `scale` is what that file says of its last step. */
export async function loadImageProcessor(versionFolder: string, scale: PixelScale): Promise<ImageProcessor> {
  const { AutoImageProcessor, RawImage, env } = await import('@huggingface/transformers');

  /** Processors resize the image that they are given by its own method: this one does it as Pillow. */
  class PillowImage extends RawImage {
    override async resize(width: number, height: number, options: { resample?: unknown } = {}) {
      const source = { data: this.data as Uint8ClampedArray, width: this.width, height: this.height };
      const resized = resample(source, Math.round(width), Math.round(height), filterOf(options.resample ?? 2));
      return new PillowImage(resized.data, resized.width, resized.height, 3);
    }
  }

  env.allowRemoteModels = false;
  env.useFSCache = false;
  // An absolute path is taken as it stands: no global folder setting that two loads at once could cross.
  const processor = await AutoImageProcessor.from_pretrained(resolve(versionFolder), { local_files_only: true });
  const run = async (image: RgbImage) => {
    const raw = new PillowImage(image.data, image.width, image.height, 3);
    const { pixel_values } = (await processor(raw)) as { pixel_values: { dims: number[]; data: Float32Array } };
    const [batch, ...dims] = pixel_values.dims;
    if (batch !== 1 || dims.length !== 3) throw new Error(`The processor gave dims ${pixel_values.dims.join(' x ')}.`);
    return { dims, data: pixel_values.data };
  };
  const isTable = await endsInTable(run, processor as unknown as LastSteps, scale);
  return async (image) => {
    const { dims, data } = await run(image);
    // A copy with a buffer of its own can be moved to another thread.
    return { dims, data: isTable ? Uint8Array.from(data) : new Float32Array(data) };
  };
}

/** The two flags of a processor that its last steps hang on. */
interface LastSteps {
  do_rescale: boolean;
  do_normalize: boolean;
}

/**
 * Tries on one image whether bytes through the table give what the processor gives. If so the last steps are switched off
 * for good; a processor that pads, flips or scales in its own way keeps them.
 */
async function endsInTable(
  run: (image: RgbImage) => Promise<{ dims: number[]; data: Float32Array }>,
  processor: LastSteps,
  scale: PixelScale,
): Promise<boolean> {
  const side = 64;
  const data = Uint8ClampedArray.from({ length: side * (side + 9) * 3 }, (_, i) => (i * 37) % 256);
  const image: RgbImage = { data, width: side, height: side + 9 };
  const whole = await run(image);
  const { do_rescale, do_normalize } = processor;
  Object.assign(processor, { do_rescale: false, do_normalize: false });
  const plain = await run(image);
  const scaled = new Float32Array(plain.data.length);
  scalePixels(Uint8Array.from(plain.data), scale, scaled, 0);
  if (scaled.length === whole.data.length && scaled.every((value, i) => value === whole.data[i])) return true;
  Object.assign(processor, { do_rescale, do_normalize });
  return false;
}
