/**
 * What every task on images repeats: a file to a row of pixels, and rows to the batch's tensor. Pixels travel as bytes
 * and are scaled where they are used.
 */
import { Problem } from '../../shared/problems/problem.ts';
import { freeMemory } from '../free-memory.ts';
import type { ModelFiles } from '../repository/model-files.ts';
import { readJson } from '../repository/version-files.ts';
import type { BatchTensor, PreparedSource, Row, RowTensor } from '../task.ts';
import type { Size } from './bitmap.ts';
import type { PixelBytes } from './image-processor.ts';
import { type PixelScale, scalePixels } from './pixel-scale.ts';
import { type ProcessorPlan, readProcessorPlan, typicalSize } from './processor-plan.ts';

/** Pixels for the model, and the size of the picture that they were made of. */
export type PixelReader = (source: PreparedSource) => Promise<{ readonly pixels: PixelBytes; readonly picture: Size }>;

export async function readPlan(files: ModelFiles): Promise<ProcessorPlan> {
  const file = await readJson(files, 'preprocessor_config.json');
  if (!file)
    throw new Error(`Model ${files.id} has no preprocessor_config.json: copy it from where the model came from.`);
  return readProcessorPlan(file);
}

/** Imported late: a lane starts without libvips. */
export async function createPixelReader(plan: ProcessorPlan, pixelsMax: number | undefined): Promise<PixelReader> {
  const { decodeImage } = await import('./decode-image.ts');
  const { processImage } = await import('./image-processor.ts');
  return async (source) => {
    if (source.kind !== 'file') throw new Problem('unsupported-file-type', 'This task takes an image, not a text.');
    const image = await decodeImage(source.path, pixelsMax);
    const pixels = processImage(image, plan);
    freeMemory(image.data);
    return { pixels, picture: { width: image.width, height: image.height } };
  };
}

/** Rows of one size share a call. */
export function pixelRow({ dims, data }: PixelBytes, context: unknown): Row {
  return { tensors: { pixel_values: { type: 'uint8', dims, data } }, length: 1, shapeKey: dims.join('x'), context };
}

/** Black, of the size that the model is shown; `fallback` is the side where its processor keeps the picture's own. */
export function canaryPixels(plan: ProcessorPlan, fallback: number): PixelBytes {
  const { width, height } = typicalSize(plan) ?? { width: fallback, height: fallback };
  return { dims: [3, height, width], data: new Uint8Array(3 * height * width) };
}

export function collatePixels(rows: readonly Row[], scale: PixelScale): BatchTensor {
  const images = rows.map((row) => row.tensors['pixel_values'] as RowTensor);
  const size = images[0]?.data.length ?? 0;
  const data = new Float32Array(rows.length * size);
  for (const [index, image] of images.entries()) scalePixels(image.data as Uint8Array, scale, data, index * size);
  return { type: 'float32', dims: [rows.length, ...(images[0]?.dims ?? [])], data };
}
