/**
 * Image to text with vision encoder-decoders in Hub layout (VisionEncoderDecoderModel: TrOCR, Donut, ViT-GPT2; Florence-2;
 * BLIP) and with our own exports for slots: a file and a prompt to pixels and ids, tokens to text. One row per image.
 */
import { findLayout } from '../../generation/graph-layout.ts';
import { constraintOf } from '../../generation/logits-rules.ts';
import {
  type GenerationDefaults,
  readDefaults,
  readGenerationConfig,
  readPositionsMax,
} from '../../generation/read-defaults.ts';
import { int64 } from '../../generation/row-tensors.ts';
import type { PixelBytes } from '../../images/image-processor.ts';
import { canaryPixels, collatePixels, createPixelReader, pixelRow, readPlan } from '../../images/pixel-rows.ts';
import { makePixelScale } from '../../images/pixel-scale.ts';
import type { ProcessorPlan } from '../../images/processor-plan.ts';
import type { ModelFiles } from '../../repository/model-files.ts';
import { type Json, readConfig } from '../../repository/version-files.ts';
import type {
  BatchTensor,
  GenerativePipeline,
  PipelineFactory,
  PreparedSource,
  Row,
  SequenceStart,
} from '../../task.ts';
import type { Wish } from './contract.ts';
import { type PictureSize, readRegions } from './florence/regions.ts';
import type { RegionKind } from './florence/tasks.ts';
import { formatText } from './format-text.ts';
import { blipIds, createPromptReader, type Family, familyOf } from './prompts.ts';
import { cutAtStop, endsWithStop } from './stop-texts.ts';
import { readTextDecoder, type TextDecoding } from './text-decoding.ts';

interface TextContext {
  readonly wish: Wish;
  /** Tokens that the decoder goes on from, behind its start token or in its place. */
  readonly promptIds: readonly number[];
  /** How the text tells places, and in a picture of which size. */
  readonly places?: PictureSize & { readonly kind: RegionKind };
}

interface WrittenText {
  readonly generated_text: string;
  readonly finish_reason: 'stop' | 'length';
}

interface Setup {
  readonly family: Family;
  readonly defaults: GenerationDefaults;
  readonly positionsMax: number;
}

const factory: PipelineFactory<GenerativePipeline> = {
  task: 'image-to-text',
  async createPipeline(files, use): Promise<GenerativePipeline> {
    const config = await readConfig(files);
    const setup = await readSetup(files, config);
    const plan = await readPlan(files);
    const scale = makePixelScale(plan.scale);
    const prepare = use === 'prepare' ? await createPreparation(files, setup, plan) : null;
    const decoding = use === 'prepare' ? null : await readTextDecoder(files, setup.family);
    return {
      sessions: findLayout(files).sessions,
      async prepare(source, parameters) {
        if (!prepare) throw new Error('This pipeline was not made to prepare.');
        return [await prepare(source, { ...files.parameters, ...parameters } as Wish)];
      },
      generation: {
        positionsMax: setup.positionsMax,
        collate: (rows) => ({ pixel_values: collatePixels(rows, scale), ...collatePrompts(rows) }),
        begin: (row) => begin(row, setup, decoding),
        finish(row, { ids, reason }) {
          if (!decoding) throw new Error('This pipeline was not made for a lane.');
          const { wish } = row.context as TextContext;
          const text = cutAtStop(decoding.decode(ids), wish.stop ?? []);
          return { part: { generated_text: text, finish_reason: reason } satisfies WrittenText };
        },
      },
      merge: ([part], [context]) => toOutput(part as WrittenText, context as TextContext),
      canary: { rows: [canaryRow(canaryPixels(plan, sideOf(config)), setup)] },
    };
  },
};

export default factory;

async function readSetup(files: ModelFiles, config: Json): Promise<Setup> {
  const family = familyOf(config);
  const generation = await readGenerationConfig(files, config);
  return {
    family,
    defaults: readDefaults(family === 'blip' ? { ...generation, ...blipIds(config) } : generation),
    positionsMax: readPositionsMax(config),
  };
}

/** Where the processor keeps a picture's own size. */
function sideOf(config: Json): number {
  const encoder = (config['encoder'] ?? config['vision_config'] ?? config) as Json;
  return Number(encoder['image_size'] ?? config['image_size'] ?? 224);
}

type Preparation = (source: PreparedSource, wish: Wish) => Promise<Row>;

async function createPreparation(files: ModelFiles, setup: Setup, plan: ProcessorPlan): Promise<Preparation> {
  const readPixels = await createPixelReader(plan, files.limits.imagePixelsMax);
  const readPrompt = await createPromptReader(files, setup.family, setup.positionsMax);
  return async (source, wish) => {
    const { decoderIds, encoderIds, regions } = readPrompt(wish.prompt);
    const { pixels, picture } = await readPixels(source);
    const places = regions && { ...picture, kind: regions };
    return askingRow(pixels, { wish, promptIds: decoderIds, ...(places && { places }) }, encoderIds);
  };
}

/** Prompts of one length share a call, so that none is padded. */
function askingRow(pixels: PixelBytes, context: TextContext, encoderIds: Int32Array | undefined): Row {
  const row = pixelRow(pixels, context);
  if (!encoderIds) return row;
  const { length } = encoderIds;
  const input_ids = { type: 'int64', dims: [length], data: encoderIds } as const;
  return { ...row, tensors: { ...row.tensors, input_ids }, shapeKey: `${row.shapeKey}:${length}` };
}

function collatePrompts(rows: readonly Row[]): { input_ids?: BatchTensor } {
  const prompts = rows.flatMap(({ tensors }) => tensors['input_ids'] ?? []);
  const [first] = prompts;
  if (!first) return {};
  const ids = prompts.flatMap(({ data }) => [...data]);
  return { input_ids: int64([rows.length, ...first.dims], ids) };
}

function canaryRow(pixels: PixelBytes, { family, defaults }: Setup): Row {
  const asked = family === 'florence' ? Int32Array.of(...defaults.stopIds) : undefined;
  return askingRow(pixels, { wish: {}, promptIds: [] }, asked);
}

function toOutput(text: WrittenText, { wish, places }: TextContext) {
  const { format = 'text' } = wish;
  return {
    ...text,
    ...(places && { regions: readRegions(text.generated_text, places.kind, places) }),
    ...(format !== 'text' && { formatted: formatText(text.generated_text, format) }),
  };
}

function begin(row: Row, { defaults, positionsMax, family }: Setup, decoding: TextDecoding | null): SequenceStart {
  const { wish, promptIds: own } = row.context as TextContext;
  const promptIds = family === 'donut' && own.length > 0 ? own : [defaults.startId, ...own];
  const tokensMax = wish.max_new_tokens ?? defaults.tokensMax ?? positionsMax;
  const { stop } = wish;
  const constrain = constraintOf(defaults.rules, { promptIds, stopIds: defaults.stopIds, tokensMax });
  return {
    promptIds,
    tokensMax,
    stopIds: defaults.stopIds,
    sampling: samplingOf(wish, defaults),
    skipLogProbs: true,
    ...(constrain && { constrain }),
    ...(stop && decoding && { endsEarly: (written) => endsWithStop(written, stop, decoding) }),
  };
}

/** The likeliest token unless the caller wishes otherwise, also where the model's own config would draw or search. */
function samplingOf(wish: Wish, { sampling }: GenerationDefaults): SequenceStart['sampling'] {
  const { temperature = 0, top_k: topK, top_p: topP, seed, num_beams: beams = 1 } = wish;
  if (temperature > 0)
    return { temperature, ...(topK && { topK }), ...(topP && { topP }), ...(seed !== undefined && { seed }) };
  if (beams === 1) return { temperature };
  const { lengthPenalty = 1, earlyStopping = false } = sampling;
  return { temperature, beams, lengthPenalty, earlyStopping };
}
