/**
 * preprocessor_config.json to a plan: how a picture becomes what the model was trained on. What a file leaves out its
 * processor's family fills in. Pure.
 */
import type { Json } from '../repository/version-files.ts';
import type { Size } from './bitmap.ts';
import { type Family, familyOf, plainFamily, type ResizeRule } from './processor-families.ts';
import { type FilterName, filterOf } from './resampling-filters.ts';

/** Donut's own way to a page: turned, shrunk until it fits, laid in the middle of black. */
export interface PageRule extends Size {
  readonly turnsToFit: boolean;
  readonly shrinksToFit: boolean;
  readonly pads: boolean;
}

/** Byte -> model input. */
export interface ScalePlan {
  readonly factor: number | null;
  /** Takes one off after the factor: EfficientNet's range of -1 to 1. */
  readonly isCentred: boolean;
  readonly means: readonly number[];
  readonly deviations: readonly number[];
  readonly normalizes: boolean;
  /** Divides by the deviations once more: EfficientNet with its classifier. */
  readonly dividesTwice: boolean;
}

export interface ProcessorPlan {
  readonly resize: ResizeRule | null;
  readonly filter: FilterName;
  readonly crop: Size | null;
  readonly page: PageRule | null;
  readonly scale: ScalePlan;
  /** RGB -> BGR. */
  readonly flipsChannels: boolean;
}

/** Throws Error for a file whose processor is not known and does more than resize, crop, rescale and normalise. */
export function readProcessorPlan(file: Json): ProcessorPlan {
  const family = familyOf(file) ?? plainFamily(file);
  const size = readSize(file['size'] ?? family.size, family);
  const resize = isOn(file, 'do_resize', true) && Object.keys(size).length > 0 ? family.resize(size, file) : null;
  const crop = isOn(file, 'do_center_crop', family.crops) ? readSize(file['crop_size'] ?? family.crop) : null;
  return {
    resize: resize?.rule ?? null,
    filter: filterOf(file['resample'] ?? family.resample),
    crop: resize?.crop ?? (crop ? { height: Number(crop['height']), width: Number(crop['width']) } : null),
    page: family.isPage ? readPage(file, size) : null,
    scale: readScale(file, family),
    flipsChannels: isOn(file, 'do_flip_channel_order', family.flipsChannels),
  };
}

/** The size that a model is shown, or a likely one where that follows the picture's shape. */
export function typicalSize({ crop, page, resize }: ProcessorPlan): Size | null {
  if (crop) return crop;
  if (page?.pads) return page;
  return resize?.kind === 'shortest' ? { width: resize.edge, height: resize.edge } : resize;
}

function isOn(file: Json, key: string, fallback: boolean): boolean {
  return file[key] === undefined ? fallback : file[key] === true;
}

/** Old files give a number, which means what the family's own default does, or a pair: [height, width]. */
function readSize(size: unknown, family?: Family): Json {
  if (typeof size === 'number') {
    return family && 'shortest_edge' in family.size ? { shortest_edge: size } : { height: size, width: size };
  }
  if (!Array.isArray(size)) return (size ?? {}) as Json;
  const [first, second = first] = size.map(Number);
  // Donut's old feature extractor wrote [width, height].
  return family?.isPage ? { height: second, width: first } : { height: first, width: second };
}

function readPage(file: Json, size: Json): PageRule {
  const page = {
    height: Number(size['height']),
    width: Number(size['width']),
    turnsToFit: isOn(file, 'do_align_long_axis', false),
    shrinksToFit: isOn(file, 'do_thumbnail', true),
    pads: isOn(file, 'do_pad', true),
  };
  if (page.pads && !page.shrinksToFit)
    throw new Error('preprocessor_config.json says do_pad without do_thumbnail: a picture may not fit its page.');
  return page;
}

function readScale(file: Json, family: Family): ScalePlan {
  const factor = Number(file['rescale_factor'] ?? 1 / 255);
  return {
    factor: isOn(file, 'do_rescale', true) ? factor : null,
    isCentred: isOn(file, 'rescale_offset', false),
    means: perChannel(file['image_mean'] ?? family.mean),
    deviations: perChannel(file['image_std'] ?? family.std),
    normalizes: family.normalizes && isOn(file, 'do_normalize', true),
    dividesTwice: family.dividesTwice && isOn(file, 'include_top', true),
  };
}

function perChannel(value: unknown): number[] {
  return Array.isArray(value) ? value.map(Number) : [Number(value), Number(value), Number(value)];
}
