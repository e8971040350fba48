/**
 * A picture to what a model was trained on, byte for byte as Hugging Face's processors do it with Pillow: resize, crop
 * or lay on a page. Rescaling and normalising are left to the table of `pixel-scale.ts`. Own work, since transformers.js
 * gives other pixels where a file is short, for EfficientNet's offset, for small pictures and for Donut
 * (image-processor.parity.test.ts holds the cases), and loads a runtime of 100 MB for it. Pure.
 */
import { Problem } from '../../shared/problems/problem.ts';
import { freeMemory } from '../free-memory.ts';
import { type Bitmap, layOnBlack, type Size, toPlanes, turnRight } from './bitmap.ts';
import type { PageRule, ProcessorPlan } from './processor-plan.ts';
import { resample } from './resample.ts';
import type { FilterName } from './resampling-filters.ts';

/** [3, height, width], still to be scaled. */
export interface PixelBytes {
  readonly dims: readonly number[];
  readonly data: Uint8Array<ArrayBuffer>;
}

/** 144 MB: a receipt of 1 to 13 on Donut's page of 1920 x 2560. A strip of 1 x 100,000 for a side of 224 would have 5 * 10^9. */
const resizedPixelsMax = 48_000_000;

/** Throws `image-too-large` for a picture that resizing would blow up. */
export function processImage(image: Bitmap, plan: ProcessorPlan): PixelBytes {
  const shaped = shape(image, plan);
  const { width, height } = shaped;
  const data = toPlanes(shaped, plan.flipsChannels);
  if (shaped !== image) freeMemory(shaped.data);
  return { dims: [3, height, width], data };
}

function shape(image: Bitmap, plan: ProcessorPlan): Bitmap {
  if (plan.page) return layOnPage(image, plan, plan.page);
  const size = resizedSize(image, plan);
  if (plan.crop) return resizeAndCrop(image, size, plan.crop, plan.filter);
  return resample(image, checkSize(size, image), plan.filter);
}

function resizedSize(image: Size, { resize }: Pick<ProcessorPlan, 'resize'>): Size {
  if (!resize) return image;
  if (resize.kind === 'exact') return resize;
  const { width, height } = image;
  const long = Math.trunc((resize.edge * Math.max(width, height)) / Math.min(width, height));
  return width <= height ? { width: resize.edge, height: long } : { width: long, height: resize.edge };
}

function checkSize(size: Size, image: Size): Size {
  const pixels = size.width * size.height;
  if (pixels > 0 && pixels <= resizedPixelsMax) return size;
  const limit = pixels > 0 ? `above ${resizedPixelsMax / 1e6} megapixels` : 'which leaves nothing of it';
  const detail =
    `The image has ${image.width} x ${image.height} pixels; resized for this model it would have ` +
    `${size.width} x ${size.height}, ${limit}. Send a less narrow part of it.`;
  throw new Problem('image-too-large', detail);
}

/** The middle of the resized picture; what the crop has beyond it is black. */
function resizeAndCrop(image: Bitmap, size: Size, crop: Size, filter: FilterName): Bitmap {
  const across = centre(size.width, crop.width);
  const down = centre(size.height, crop.height);
  const window = { left: across.from, top: down.from, width: across.length, height: down.length };
  const kept = resample(image, { ...size, window }, filter);
  return layOnBlack(kept, crop, { left: across.at, top: down.at });
}

/** Where a crop of one side begins in the source, where that lands, and how much is kept. As transformers rounds it. */
function centre(source: number, crop: number): { readonly from: number; readonly at: number; readonly length: number } {
  if (source >= crop) return { from: Math.floor((source - crop) / 2), at: 0, length: crop };
  return { from: 0, at: Math.ceil((crop - source) / 2), length: source };
}

function layOnPage(image: Bitmap, plan: ProcessorPlan, page: PageRule): Bitmap {
  const isAcross = (size: Size) => size.width > size.height;
  const isUpright = (size: Size) => size.width < size.height;
  const isTurned = page.turnsToFit && ((isUpright(page) && isAcross(image)) || (isAcross(page) && isUpright(image)));
  const turned = isTurned ? turnRight(image) : image;
  const resized = resample(turned, checkSize(resizedSize(turned, plan), image), plan.filter);
  // The second time bicubic, whatever the file says.
  const fitted = page.shrinksToFit
    ? resample(resized, checkSize(thumbnailSize(resized, page), image), 'bicubic')
    : resized;
  if (!page.pads) return fitted;
  const left = Math.floor((page.width - fitted.width) / 2);
  return layOnBlack(fitted, page, { left, top: Math.floor((page.height - fitted.height) / 2) });
}

function thumbnailSize(image: Size, page: Size): Size {
  const width = Math.min(image.width, page.width);
  const height = Math.min(image.height, page.height);
  if (width === image.width && height === image.height) return image;
  if (image.height > image.width) return { width: Math.trunc((image.width * height) / image.height), height };
  return image.width > image.height
    ? { width, height: Math.trunc((image.height * width) / image.width) }
    : { width, height };
}
