/**
 * Feature extraction: text to ids, hidden states to one vector. One row per text.
 */
import { Problem } from '../../../shared/problems/problem.ts';
import { normalizeLength, pool } from '../../numeric/pooling.ts';
import { isFiniteAll } from '../../numeric/softmax.ts';
import type { ModelFiles } from '../../repository/model-files.ts';
import { graphFile, graphSignature, readConfig, readJson } from '../../repository/version-files.ts';
import type { BatchTensor, CallPipeline, PipelineFactory, Row, RowOutcome } from '../../task.ts';
import { collateText, textBatching, textRow } from '../../text/text-rows.ts';
import { textOf } from '../../text/text-source.ts';
import { checkTokens, tokenLimit } from '../../text/token-limit.ts';
import { type PoolingPlan, readPoolingPlan } from './pooling-plan.ts';

interface VectorContext {
  readonly normalize: boolean;
  readonly dimensions: number | null;
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
      postprocess: (outputs, rows) => rows.map((row, index) => toOutcome(outputs, row, index, plan)),
      merge: (parts) => parts[0],
      canary: { rows: [textRow(new Int32Array(8), { normalize: false, dimensions: null })] },
    };
  },
};

export default factory;

type Parameters = { readonly normalize?: boolean; readonly dimensions?: number; readonly truncate?: boolean };

async function createPrepare(files: ModelFiles, plan: PoolingPlan): Promise<(text: string, wish: Parameters) => Row> {
  const config = await readConfig(files);
  // Imported late: a lane starts without the tokeniser library.
  const { loadTokenizer } = await import('../../text/tokenizer.ts');
  const tokenizer = await loadTokenizer(files.versionFolder);
  const sentenceConfig = await readJson(files, 'sentence_bert_config.json');
  const limit = tokenLimit({ config, tokenizerConfig: tokenizer.config, sentenceConfig, limits: files.limits });
  const width = Number(config['hidden_size'] ?? config['dim'] ?? config['d_model'] ?? Number.POSITIVE_INFINITY);
  return (text, { normalize, dimensions, truncate }) => {
    if (dimensions !== undefined && dimensions > width) {
      const detail = `\`dimensions\` is ${dimensions}; this model's vectors have ${width}. Ask for fewer.`;
      throw new Problem('validation-failed', detail, { errors: [{ pointer: '/parameters/dimensions', detail }] });
    }
    const ids = tokenizer.encode(text);
    if (truncate !== true) checkTokens(ids.length, limit);
    const context: VectorContext = {
      // A shortened vector has lost its length: scale it again unless told not to.
      normalize: normalize ?? (plan.normalize || dimensions !== undefined),
      dimensions: dimensions ?? null,
    };
    return textRow(cutIds(ids, limit, tokenizer.specialsAfter), context);
  };
}

/** The first tokens that fit, with the closing special tokens kept. */
function cutIds(ids: Int32Array, limit: number, specialsAfter: number): Int32Array {
  if (ids.length <= limit) return ids;
  const cut = ids.slice(0, limit);
  cut.set(ids.subarray(ids.length - specialsAfter), limit - specialsAfter);
  return cut;
}

function toOutcome(
  outputs: Readonly<Record<string, BatchTensor>>,
  row: Row,
  index: number,
  plan: PoolingPlan,
): RowOutcome {
  const pooled = poolRow(outputs, row, index, plan);
  if (!isFiniteAll(pooled)) {
    return { problem: new Problem('non-finite-output', 'The model gave NaN or infinity for this text.').toDetails() };
  }
  const { normalize, dimensions } = row.context as VectorContext;
  const vector = dimensions === null ? pooled : pooled.slice(0, dimensions);
  return { part: normalize ? normalizeLength(vector) : vector };
}

function poolRow(
  outputs: Readonly<Record<string, BatchTensor>>,
  row: Row,
  index: number,
  plan: PoolingPlan,
): Float32Array {
  const output = outputs['last_hidden_state'] ?? outputs['token_embeddings'] ?? outputs['sentence_embedding'];
  if (!output || !(output.data instanceof Float32Array)) throw new Error('The graph gave no `last_hidden_state`.');
  const [, second = 0, third] = output.dims;
  // Two dimensions: the export pools by itself.
  if (third === undefined) return output.data.slice(index * second, (index + 1) * second);
  return pool(output.data.subarray(index * second * third, (index * second + row.length) * third), third, plan.mode);
}
