/**
 * Image to text with vision encoder-decoders in Hub layout (VisionEncoderDecoderModel: TrOCR, Donut, ViT-GPT2) and with
 * our own exports for slots: a file to pixels, tokens to text. One row per image.
 */

import { findLayout } from '../../generation/graph-layout.ts';
import { constraintOf } from '../../generation/logits-rules.ts';
import {
  type GenerationDefaults,
  readDefaults,
  readGenerationConfig,
  readPositionsMax,
} from '../../generation/read-defaults.ts';
import { canaryPixels, collatePixels, createPixelReader, pixelRow, readPlan } from '../../images/pixel-rows.ts';
import { makePixelScale } from '../../images/pixel-scale.ts';
import type { ModelFiles } from '../../repository/model-files.ts';
import { type Json, readConfig } from '../../repository/version-files.ts';
import type { GenerativePipeline, PipelineFactory, Row, SequenceStart } from '../../task.ts';
import type { DiagramFormat } from './contract.ts';
import { formatText } from './format-text.ts';
import { cutAtStop, endsWithStop } from './stop-texts.ts';
import { readTextDecoder, type TextDecoding } from './text-decoding.ts';

/** The contract's parameters, with the manifest's below them. */
interface Wish {
  readonly max_new_tokens?: number;
  readonly stop?: readonly string[];
  readonly prompt?: string;
  readonly temperature?: number;
  readonly top_k?: number;
  readonly top_p?: number;
  readonly seed?: number;
  readonly num_beams?: number;
  readonly format?: 'text' | DiagramFormat;
}

interface TextContext {
  readonly wish: Wish;
  /** Of the wish's prompt. */
  readonly promptIds: readonly number[];
}

interface WrittenText {
  readonly generated_text: string;
  readonly finish_reason: 'stop' | 'length';
}

interface Setup {
  readonly defaults: GenerationDefaults;
  readonly positionsMax: number;
  /** Donut's prompt takes the place of the start token. */
  readonly startsWithPrompt: boolean;
}

const factory: PipelineFactory<GenerativePipeline> = {
  task: 'image-to-text',
  async createPipeline(files, use): Promise<GenerativePipeline> {
    const config = await readConfig(files);
    const setup = await readSetup(files, config);
    const plan = await readPlan(files);
    const scale = makePixelScale(plan.scale);
    const readPixels = use === 'prepare' ? await createPixelReader(plan, files.limits.imagePixelsMax) : null;
    const encodePrompt = use === 'prepare' ? await createPromptEncoder(files) : null;
    const decoding = use === 'prepare' ? null : await readTextDecoder(files, setup.startsWithPrompt);
    const ownSide = Number((config['encoder'] as Json | undefined)?.['image_size'] ?? config['image_size'] ?? 224);
    return {
      sessions: findLayout(files).sessions,
      async prepare(source, parameters) {
        if (!readPixels || !encodePrompt) throw new Error('This pipeline was not made to prepare.');
        const wish = { ...files.parameters, ...parameters } as Wish;
        const promptIds = wish.prompt ? encodePrompt(wish.prompt) : [];
        return [pixelRow(await readPixels(source), { wish, promptIds } satisfies TextContext)];
      },
      generation: {
        positionsMax: setup.positionsMax,
        collate: (rows) => ({ pixel_values: collatePixels(rows, scale) }),
        begin: (row) => begin(row, setup, decoding),
        finish(row, { ids, reason }) {
          if (!decoding) throw new Error('This pipeline was not made for a lane.');
          const { wish } = row.context as TextContext;
          const text = cutAtStop(decoding.decode(ids), wish.stop ?? []);
          return { part: { generated_text: text, finish_reason: reason } satisfies WrittenText };
        },
      },
      merge([part], [context]) {
        const text = part as WrittenText;
        const { format = 'text' } = (context as TextContext).wish;
        return format === 'text' ? text : { ...text, formatted: formatText(text.generated_text, format) };
      },
      canary: { rows: [pixelRow(canaryPixels(plan, ownSide), { wish: {}, promptIds: [] } satisfies TextContext)] },
    };
  },
};

export default factory;

async function readSetup(files: ModelFiles, config: Json): Promise<Setup> {
  const encoder = String((config['encoder'] as Json | undefined)?.['model_type'] ?? '');
  return {
    defaults: readDefaults(await readGenerationConfig(files, config)),
    positionsMax: readPositionsMax(config),
    startsWithPrompt: encoder.includes('donut'),
  };
}

/** Imported late: a lane starts without the tokeniser's library. */
async function createPromptEncoder(files: ModelFiles): Promise<(prompt: string) => number[]> {
  const { loadTokenizer } = await import('../../text/tokenizer.ts');
  const tokenizer = await loadTokenizer(files.versionFolder);
  return (prompt) => {
    const { ids, words } = tokenizer.encodeAligned(prompt);
    // Without what the post-processor adds: the prompt goes on, it is no sentence.
    return [...ids].filter((_, index) => (words[index] ?? -1) >= 0);
  };
}

function begin(
  row: Row,
  { defaults, positionsMax, startsWithPrompt }: Setup,
  decoding: TextDecoding | null,
): SequenceStart {
  const { wish, promptIds: own } = row.context as TextContext;
  const promptIds = startsWithPrompt && own.length > 0 ? own : [defaults.startId, ...own];
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
