/**
 * The one door to @huggingface/transformers: its image processors, which know how each architecture resizes, crops and
 * scales. It loads onnxruntime by itself and weighs 100 MB, so it is imported late and in preparation threads only,
 * and never reaches for the hub.
 */
import { basename, dirname } from 'node:path';
import type { RgbImage } from './decode-image.ts';

export interface PixelValues {
  /** [channels, height, width]. */
  readonly dims: readonly number[];
  readonly data: Float32Array<ArrayBuffer>;
}

export type ImageProcessor = (image: RgbImage) => Promise<PixelValues>;

/** The processor that preprocessor_config.json of a version folder names. */
export async function loadImageProcessor(versionFolder: string): Promise<ImageProcessor> {
  const { AutoImageProcessor, RawImage, env } = await import('@huggingface/transformers');
  env.allowRemoteModels = false;
  env.useFSCache = false;
  // One global setting per thread: set and used before the first await of the load lets go.
  env.localModelPath = dirname(versionFolder);
  const processor = await AutoImageProcessor.from_pretrained(basename(versionFolder), { local_files_only: true });
  return async (image) => {
    const raw = new RawImage(image.data, image.width, image.height, 3);
    const { pixel_values } = (await processor(raw)) as { pixel_values: { dims: number[]; data: Float32Array } };
    const [batch, ...dims] = pixel_values.dims;
    if (batch !== 1 || dims.length !== 3) throw new Error(`The processor gave dims ${pixel_values.dims.join(' x ')}.`);
    // A copy with a buffer of its own can be moved to another thread.
    return { dims, data: new Float32Array(pixel_values.data) };
  };
}
