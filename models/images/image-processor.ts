/**
 * The one door to @huggingface/transformers: its image processors, which know how each architecture resizes, crops and
 * scales. It loads onnxruntime by itself and weighs 100 MB, so it is imported late and in preparation threads only,
 * and never reaches for the hub.
 */
import { resolve } from 'node:path';
import type { RgbImage } from './decode-image.ts';
import { filterOf, resample } from './resample.ts';

export interface PixelValues {
  /** [channels, height, width]. */
  readonly dims: readonly number[];
  readonly data: Float32Array<ArrayBuffer>;
}

export type ImageProcessor = (image: RgbImage) => Promise<PixelValues>;

/** The processor that preprocessor_config.json of a version folder names. */
export async function loadImageProcessor(versionFolder: string): Promise<ImageProcessor> {
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
  return async (image) => {
    const raw = new PillowImage(image.data, image.width, image.height, 3);
    const { pixel_values } = (await processor(raw)) as { pixel_values: { dims: number[]; data: Float32Array } };
    const [batch, ...dims] = pixel_values.dims;
    if (batch !== 1 || dims.length !== 3) throw new Error(`The processor gave dims ${pixel_values.dims.join(' x ')}.`);
    // A copy with a buffer of its own can be moved to another thread.
    return { dims, data: new Float32Array(pixel_values.data) };
  };
}
