/**
 * Hugging Face's image processors as a table: what each does where preprocessor_config.json is silent, since old files
 * name three keys and rely on the rest, and how each reads `size`. Checked against transformers 4.57 (parity/reference). Pure.
 */
import type { Json } from '../repository/version-files.ts';
import type { Size } from './bitmap.ts';

/** `exact` warps; `shortest` keeps the shape and gives the shorter side that length. */
export type ResizeRule = ({ readonly kind: 'exact' } & Size) | { readonly kind: 'shortest'; readonly edge: number };

interface Resize {
  readonly rule: ResizeRule;
  /** Where resizing and cropping are one step. */
  readonly crop?: Size;
}

export interface Family {
  /** As a file would give it. */
  readonly size: Json;
  readonly resize: (size: Json, file: Json) => Resize;
  readonly resample: number;
  readonly crop: number;
  readonly crops: boolean;
  readonly mean: number | readonly number[];
  readonly std: number | readonly number[];
  readonly normalizes: boolean;
  readonly dividesTwice: boolean;
  readonly flipsChannels: boolean;
  readonly isPage: boolean;
}

const square = (side: number): Json => ({ height: side, width: side });
const edge = (shortest: number): Json => ({ shortest_edge: shortest });
const halves = { mean: 0.5, std: 0.5 };
const imagenet = { mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225] };
const clip = { mean: [0.48145466, 0.4578275, 0.40821073], std: [0.26862954, 0.26130258, 0.27577711] };
const [nearest, bilinear, bicubic] = [0, 2, 3];

const base = {
  size: square(224),
  resize: plainResize,
  resample: bilinear,
  crop: 224,
  crops: false,
  ...halves,
  normalizes: true,
  dividesTwice: false,
  flipsChannels: false,
  isPage: false,
} satisfies Family;
const cropped = { ...base, crops: true };

/** By name without `ImageProcessor`, `FeatureExtractor` and `Fast`. */
const families: Readonly<Record<string, Family>> = {
  ViT: base,
  DeiT: { ...cropped, size: square(256), resample: bicubic },
  MobileNetV1: { ...cropped, size: edge(256) },
  MobileNetV2: { ...cropped, size: edge(256) },
  Bit: { ...cropped, size: edge(224), resample: bicubic, ...clip },
  CLIP: { ...cropped, size: edge(224), resample: bicubic, ...clip },
  ConvNext: { ...base, size: edge(384), resize: convNextResize },
  EfficientNet: { ...base, size: square(346), resample: nearest, crop: 289, dividesTwice: true },
  Siglip: { ...base, resample: bicubic },
  Beit: { ...cropped, size: square(256), resample: bicubic },
  Levit: { ...cropped, size: edge(224), resize: levitResize, resample: bicubic, ...imagenet },
  PoolFormer: { ...cropped, size: edge(224), resize: poolFormerResize, resample: bicubic, ...imagenet },
  MobileViT: { ...cropped, size: edge(224), crop: 256, normalizes: false, flipsChannels: true },
  Pvt: { ...base, ...imagenet },
  Segformer: { ...base, size: square(512), ...imagenet },
  Blip: { ...base, size: square(384), resample: bicubic, ...clip },
  Donut: { ...base, size: { height: 2560, width: 1920 }, resize: donutResize, isPage: true },
};

/** Undefined for a processor that is not in the table. */
export function familyOf(file: Json): Family | undefined {
  const name = processorName(file).replace(/(ImageProcessor|FeatureExtractor)(Fast)?$/, '');
  return Object.hasOwn(families, name) ? families[name] : undefined;
}

/** All that the file of an unknown processor may say: another key may change pixels in a way that is not known here. */
const plainKeys =
  /^(do_(resize|rescale|normalize|center_crop|convert_rgb|reduce_labels)|size|crop_size|resample|rescale_factor|image_(mean|std|processor_type)|(feature_extractor|processor)_(type|class)|data_format|input_data_format|default_to_square|_.*)$/;

/** What an unknown processor's file says, and nothing else. */
export function plainFamily(file: Json): Family {
  const strange = Object.keys(file).find((key) => !plainKeys.test(key) && file[key] !== null && file[key] !== false);
  if (strange !== undefined) {
    throw new Error(
      `preprocessor_config.json names the processor ${processorName(file) || '(none)'}, which is not known here, and ` +
        `its key ${strange} may change pixels. Known: ${Object.keys(families).join(', ')}.`,
    );
  }
  return { ...base, size: {}, mean: 0, std: 1 };
}

function processorName(file: Json): string {
  return String(file['image_processor_type'] ?? file['feature_extractor_type'] ?? '');
}

function plainResize(size: Json): Resize {
  const shortest = size['shortest_edge'];
  if (typeof shortest === 'number') return { rule: { kind: 'shortest', edge: shortest } };
  return { rule: { kind: 'exact', height: Number(size['height']), width: Number(size['width']) } };
}

/** Below 384 a crop follows; at 384 and more the picture is warped, as it was evaluated. */
function convNextResize(size: Json, file: Json): Resize {
  const side = Number(size['shortest_edge']);
  if (side >= 384) return plainResize(square(side));
  const share = Number(file['crop_pct'] ?? 224 / 256);
  return { rule: { kind: 'shortest', edge: Math.trunc(side / share) }, crop: { height: side, width: side } };
}

function levitResize(size: Json): Resize {
  const shortest = size['shortest_edge'];
  return plainResize(typeof shortest === 'number' ? edge(Math.trunc((256 / 224) * shortest)) : size);
}

function poolFormerResize(size: Json, file: Json): Resize {
  const share = file['crop_pct'] === null ? null : Number(file['crop_pct'] ?? 0.9);
  if (share === null) return plainResize(size);
  const [shortest, height, width] = [size['shortest_edge'], Number(size['height']), Number(size['width'])];
  if (typeof shortest === 'number') return plainResize(edge(Math.trunc(shortest / share)));
  if (height === width) return plainResize(edge(Math.trunc(height / share)));
  return plainResize({ height: Math.trunc(height / share), width: Math.trunc(width / share) });
}

function donutResize(size: Json): Resize {
  return plainResize(edge(Math.min(Number(size['height']), Number(size['width']))));
}
