/**
 * A picture to what a model was trained on, byte for byte as Hugging Face's processors do it with Pillow: resize, crop
 * or lay on a page. Rescaling and normalising are left to the table of `pixel-scale.ts`. Own work, since transformers.js
 * gives other pixels where a file is short, for EfficientNet's offset, for small pictures and for Donut
 * (image-processor.parity.test.ts holds the cases), and loads a runtime of 100 MB for it. Pure.
 */
import { Problem } from '../../shared/problems/problem.ts';
import type { RgbImage } from './decode-image.ts';
import type { Size } from './processor-families.ts';
import type { PageRule, ProcessorPlan } from './processor-plan.ts';
import { type FilterName, resample } from './resample.ts';

/** [3, height, width], still to be scaled. */
export interface PixelBytes {
  readonly dims: readonly number[];
  readonly data: Uint8Array<ArrayBuffer>;
}

/** 144 MB: a receipt of 1 to 13 on Donut's page of 1920 x 2560. A strip of 1 x 100,000 for a side of 224 would have 5 * 10^9. */
const resizedPixelsMax = 48_000_000;

/** Throws `image-too-large` for a picture that resizing would blow up. */
export function processImage(image: RgbImage, plan: ProcessorPlan): PixelBytes {
  if (plan.page) return toPlanes(layOnPage(image, plan, plan.page), plan.flipsChannels);
  const size = resizedSize(image, plan);
  if (!plan.crop) return toPlanes(resample(image, checkSize(size, image), plan.filter), plan.flipsChannels);
  return toPlanes(resizeAndCrop(image, size, plan.crop, plan.filter), plan.flipsChannels);
}

function resizedSize(image: Size, { resize }: Pick<ProcessorPlan, 'resize'>): Size {
  if (!resize) return image;
  if (resize.kind === 'exact') return resize;
  const { width, height } = image;
  const long = Math.trunc((resize.edge * Math.max(width, height)) / Math.min(width, height));
  return width <= height ? { width: resize.edge, height: long } : { width: long, height: resize.edge };
}

function checkSize(size: Size, image: Size): Size {
  if (size.width * size.height <= resizedPixelsMax) return size;
  const detail =
    `The image has ${image.width} x ${image.height} pixels; resized for this model it would have ` +
    `${size.width} x ${size.height}, above ${resizedPixelsMax / 1e6} megapixels. Send a less narrow part of it.`;
  throw new Problem('image-too-large', detail);
}

/** The middle of the resized picture; what the crop has beyond it is black. */
function resizeAndCrop(image: RgbImage, size: Size, crop: Size, filter: FilterName): RgbImage {
  const across = centre(size.width, crop.width);
  const down = centre(size.height, crop.height);
  const window = { left: across.from, top: down.from, width: across.length, height: down.length };
  const kept = resample(image, { ...size, window }, filter);
  return place(kept, crop, { left: across.at, top: down.at });
}

/** Where a crop of one side begins in the source, where that lands, and how much is kept. As transformers rounds it. */
function centre(source: number, crop: number): { readonly from: number; readonly at: number; readonly length: number } {
  if (source >= crop) return { from: Math.floor((source - crop) / 2), at: 0, length: crop };
  return { from: 0, at: Math.ceil((crop - source) / 2), length: source };
}

function layOnPage(image: RgbImage, plan: ProcessorPlan, page: PageRule): RgbImage {
  const isAcross = (size: Size) => size.width > size.height;
  const isUpright = (size: Size) => size.width < size.height;
  const isTurned = page.turnsToFit && ((isUpright(page) && isAcross(image)) || (isAcross(page) && isUpright(image)));
  const turned = isTurned ? turnRight(image) : image;
  const resized = resample(turned, checkSize(resizedSize(turned, plan), image), plan.filter);
  // The second time bicubic, whatever the file says.
  const fitted = page.shrinksToFit ? resample(resized, thumbnailSize(resized, page), 'bicubic') : resized;
  if (!page.pads) return fitted;
  const left = Math.floor((page.width - fitted.width) / 2);
  return place(fitted, page, { left, top: Math.floor((page.height - fitted.height) / 2) });
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

function turnRight({ data, width, height }: RgbImage): RgbImage {
  const turned = new Uint8ClampedArray(data.length);
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++) {
      const from = (y * width + x) * 3;
      turned.set(data.subarray(from, from + 3), (x * height + height - 1 - y) * 3);
    }
  return { data: turned, width: height, height: width };
}

/** On black. */
function place(image: RgbImage, { width, height }: Size, { left, top }: { left: number; top: number }): RgbImage {
  if (image.width === width && image.height === height) return image;
  const data = new Uint8ClampedArray(width * height * 3);
  for (let y = 0; y < image.height; y++) {
    const line = image.data.subarray(y * image.width * 3, (y + 1) * image.width * 3);
    data.set(line, ((top + y) * width + left) * 3);
  }
  return { data, width, height };
}

function toPlanes({ data, width, height }: RgbImage, flipsChannels: boolean): PixelBytes {
  const plane = width * height;
  const planes = new Uint8Array(3 * plane);
  for (let channel = 0; channel < 3; channel++) {
    const source = flipsChannels ? 2 - channel : channel;
    for (let at = 0; at < plane; at++) planes[channel * plane + at] = data[at * 3 + source] as number;
  }
  return { dims: [3, height, width], data: planes };
}
