/**
 * Feature extraction: text to ids, hidden states to one vector. One row per text.
 */
import { Problem } from '../../../shared/problems/problem.ts';
import { normalizeLength, type PoolingMode, pool } from '../../numeric/pooling.ts';
import { isFiniteAll } from '../../numeric/softmax.ts';
import type { ModelFiles } from '../../repository/model-files.ts';
import { graphFile, graphSignature, readConfig } from '../../repository/version-files.ts';
import type { BatchTensor, CallPipeline, PipelineFactory, Row, RowOutcome } from '../../task.ts';
import { collateText, textBatching, textRow } from '../../text/text-rows.ts';
import { textOf } from '../../text/text-source.ts';
import { createEncoder, type EncodingWish } from './encode-text.ts';
import { type PoolingPlan, readPoolingPlan } from './pooling-plan.ts';

interface VectorContext {
  readonly pooling: PoolingMode;
  readonly normalize: boolean;
  readonly dimensions: number | null;
  /** Tokens that pooling passes over: those of a prompt that the model wants read but not counted. */
  readonly skip: number;
  readonly isBase64: boolean;
  readonly countsTokens: boolean;
}

interface Parameters extends EncodingWish {
  readonly normalize?: boolean;
  readonly dimensions?: number;
  readonly pooling?: PoolingMode;
  readonly encoding_format?: 'float' | 'base64';
  readonly return_tokens?: boolean;
}

const factory: PipelineFactory<CallPipeline> = {
  task: 'feature-extraction',
  async createPipeline(files, use): Promise<CallPipeline> {
    const plan = await readPoolingPlan(files);
    const config = await readConfig(files);
    const batching = use === 'lane' ? textBatching(graphSignature(files), config['pad_token_id']) : null;
    const prepare = use === 'prepare' ? await createPrepare(files, plan) : null;
    return {
      sessions: { model: graphFile(files) },
      prepare(source, parameters) {
        if (!prepare) throw new Error('This pipeline was not made to prepare.');
        return [prepare(textOf(source), { ...files.parameters, ...parameters })];
      },
      collate(rows) {
        if (!batching) throw new Error('This pipeline was not made for a lane.');
        return collateText(rows, batching);
      },
      postprocess: (outputs, rows) => rows.map((row, index) => toOutcome(outputs, row, index)),
      merge: (parts) => parts[0],
      canary: { rows: [textRow(new Int32Array(8), contextOf({}, plan, 0))] },
    };
  },
};

export default factory;

async function createPrepare(files: ModelFiles, plan: PoolingPlan): Promise<(text: string, wish: Parameters) => Row> {
  const config = await readConfig(files);
  const encode = await createEncoder(files);
  const width = Number(config['hidden_size'] ?? config['dim'] ?? config['d_model'] ?? Number.POSITIVE_INFINITY);
  return (text, wish) => {
    if (wish.dimensions !== undefined && wish.dimensions > width) throw tooManyDimensions(wish.dimensions, width);
    const { ids, promptTokens } = encode(text, wish);
    return textRow(ids, contextOf(wish, plan, plan.includesPrompt ? 0 : Math.min(promptTokens, ids.length - 1)));
  };
}

function contextOf(wish: Parameters, plan: PoolingPlan, skip: number): VectorContext {
  return {
    pooling: wish.pooling ?? plan.mode,
    // A shortened vector has lost its length: scale it again unless told not to.
    normalize: wish.normalize ?? (plan.normalize || wish.dimensions !== undefined),
    dimensions: wish.dimensions ?? null,
    skip,
    isBase64: wish.encoding_format === 'base64',
    countsTokens: wish.return_tokens ?? false,
  };
}

function toOutcome(outputs: Readonly<Record<string, BatchTensor>>, row: Row, index: number): RowOutcome {
  const context = row.context as VectorContext;
  const pooled = poolRow(outputs, row, index, context);
  if (!isFiniteAll(pooled))
    return refuse(new Problem('non-finite-output', 'The model gave NaN or infinity for this text.'));
  const { normalize, dimensions, isBase64, countsTokens } = context;
  if (dimensions !== null && dimensions > pooled.length) return refuse(tooManyDimensions(dimensions, pooled.length));
  const vector = dimensions === null ? pooled : pooled.slice(0, dimensions);
  const scaled = normalize ? normalizeLength(vector) : vector;
  const embedding = isBase64 ? toBase64(scaled) : scaled;
  return { part: countsTokens ? { embedding, tokens: row.length } : embedding };
}

function poolRow(
  outputs: Readonly<Record<string, BatchTensor>>,
  row: Row,
  index: number,
  { pooling, skip }: VectorContext,
): Float32Array {
  const output = outputs['last_hidden_state'] ?? outputs['token_embeddings'] ?? outputs['sentence_embedding'];
  if (!output || !(output.data instanceof Float32Array)) throw new Error('The graph gave no `last_hidden_state`.');
  const [, second = 0, third] = output.dims;
  // Two dimensions: the export pools by itself.
  if (third === undefined) return output.data.slice(index * second, (index + 1) * second);
  // The first and the last token are what they are, however long the prompt.
  const from = pooling === 'cls' || pooling === 'last' ? 0 : skip;
  const base = index * second;
  return pool(output.data.subarray((base + from) * third, (base + row.length) * third), third, pooling);
}

/** Little-endian, as every machine that ONNX Runtime is built for. */
function toBase64({ buffer, byteOffset, byteLength }: Float32Array): string {
  return Buffer.from(buffer, byteOffset, byteLength).toString('base64');
}

function tooManyDimensions(asked: number, has: number): Problem {
  const detail = `\`dimensions\` is ${asked}; this model's vectors have ${has}. Ask for fewer.`;
  return new Problem('validation-failed', detail, { errors: [{ pointer: '/parameters/dimensions', detail }] });
}

function refuse(problem: Problem): RowOutcome {
  return { problem: problem.toDetails() };
}
