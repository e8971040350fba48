/**
 * Text ranking with a cross-encoder: the query with each document is one row, so pairs of many jobs share calls. A row's
 * part is its logit; `merge` puts the documents in order.
 */
import { Problem } from '../../../shared/problems/problem.ts';
import { sigmoid } from '../../numeric/softmax.ts';
import type { ModelFiles } from '../../repository/model-files.ts';
import { graphFile, graphSignature, readConfig } from '../../repository/version-files.ts';
import type { BatchTensor, CallPipeline, PipelineFactory, PreparedSource, Row, RowOutcome } from '../../task.ts';
import { collateText, textBatching, textRow } from '../../text/text-rows.ts';
import type { RankingItem } from './contract.ts';
import { createPairs, type PairParameters } from './pairs.ts';

interface Parameters extends PairParameters {
  readonly top_n?: number;
  readonly return_documents?: boolean;
  readonly raw_scores?: boolean;
  readonly return_tokens?: boolean;
}

/** Of one pair. The first of an item's rows says what the item wants. */
interface PairContext {
  readonly index: number;
  readonly tokens: number;
  readonly wish?: RankingWish;
}

interface RankingWish {
  readonly topN: number | null;
  readonly isRaw: boolean;
  readonly countsTokens: boolean;
  /** Absent unless they are given back: they would travel to the lane for nothing. */
  readonly documents?: readonly string[];
}

/** Of the canary, which nobody asked for anything. */
const noWish: RankingWish = { topN: null, isRaw: true, countsTokens: false };

const factory: PipelineFactory<CallPipeline> = {
  task: 'text-ranking',
  async createPipeline(files, use): Promise<CallPipeline> {
    const config = await readConfig(files);
    const batching = use === 'lane' ? textBatching(graphSignature(files), config['pad_token_id']) : null;
    const prepare = use === 'prepare' ? await createPrepare(files) : null;
    return {
      sessions: { model: graphFile(files) },
      prepare(source, parameters) {
        if (!prepare) throw new Error('This pipeline was not made to prepare.');
        return prepare(source, { ...files.parameters, ...parameters });
      },
      collate(rows) {
        if (!batching) throw new Error('This pipeline was not made for a lane.');
        return collateText(rows, batching);
      },
      postprocess: (outputs, rows) => rows.map((_, index) => toOutcome(outputs['logits'], index)),
      merge: (parts, contexts) => rank(parts as readonly number[], contexts as readonly PairContext[]),
      canary: { rows: [textRow(new Int32Array(8), { index: 0, tokens: 8 } satisfies PairContext)] },
    };
  },
};

export default factory;

async function createPrepare(files: ModelFiles): Promise<(source: PreparedSource, wish: Parameters) => Row[]> {
  const pairs = await createPairs(files);
  return (source, parameters) => {
    if (source.kind !== 'json') throw new Problem('validation-failed', 'A ranking takes a query and documents.');
    const { query, documents } = source.value as RankingItem;
    const wish: RankingWish = {
      topN: parameters.top_n ?? null,
      isRaw: parameters.raw_scores ?? false,
      countsTokens: parameters.return_tokens ?? false,
      ...(parameters.return_documents && { documents }),
    };
    // Longest first: the scheduler sees a window of what waits, and neighbours in it pad each other least.
    return pairs(query, documents, parameters)
      .toSorted((a, b) => b.ids.length - a.ids.length)
      .map(({ ids, types, index }, at) => {
        const context: PairContext = { index, tokens: ids.length, ...(at === 0 && { wish }) };
        return textRow(ids, context, types);
      });
  };
}

function toOutcome(logits: BatchTensor | undefined, index: number): RowOutcome {
  const logit = logits?.data[index];
  if (logits?.dims[1] !== 1 || typeof logit !== 'number') throw new Error('The graph gave no `logits` of one label.');
  if (Number.isFinite(logit)) return { part: logit };
  return { problem: new Problem('non-finite-output', 'The model gave NaN or infinity for a pair.').toDetails() };
}

/** By logit, since scores near 0 and 1 fall together; equal documents stay in their order. */
function rank(logits: readonly number[], contexts: readonly PairContext[]): unknown {
  const { topN, isRaw, countsTokens, documents } = contexts[0]?.wish ?? noWish;
  const scores = isRaw ? logits : sigmoid(logits);
  const results = contexts
    .map(({ index }, at) => ({ index, logit: logits[at] ?? 0, score: sixDigits(scores[at] ?? 0) }))
    .sort((a, b) => b.logit - a.logit || a.index - b.index)
    .slice(0, topN ?? contexts.length)
    .map(({ index, score }) => ({ index, score, ...(documents && { text: documents[index] }) }));
  return countsTokens ? { results, tokens: contexts.reduce((sum, { tokens }) => sum + tokens, 0) } : results;
}

/** Of a small score the first digits count, not the first decimals; float32 carries seven. */
function sixDigits(score: number): number {
  return Number(score.toPrecision(6));
}
