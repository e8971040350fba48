/**
 * Token classification: text to ids with offsets, logits to labelled spans. A text that fits is one row, and the lane
 * makes its spans. A longer one is a row per window: each gives the scores of the tokens that it answers for, and `merge`
 * makes spans of all of them, so that none is cut by a window.
 */
import { Problem } from '../../../shared/problems/problem.ts';
import { isFiniteAll, softmax } from '../../numeric/softmax.ts';
import type { ModelFiles } from '../../repository/model-files.ts';
import { graphFile, graphSignature, readConfig, readLabels } from '../../repository/version-files.ts';
import type { BatchTensor, CallPipeline, PipelineFactory, Row, RowOutcome } from '../../task.ts';
import { collateText, textBatching, textRow } from '../../text/text-rows.ts';
import { textOf } from '../../text/text-source.ts';
import { tokenLimit } from '../../text/token-limit.ts';
import type { AlignedEncoding } from '../../text/token-walk.ts';
import type { TextTokenizer } from '../../text/tokenizer.ts';
import { toTags } from './bio-tags.ts';
import type { AggregationStrategy } from './contract.ts';
import { type SpanContext, type TokenScores, tokenKind, toSpans } from './spans.ts';
import { joinWindows, type RowContext, windowRows } from './windows.ts';

interface Parameters {
  readonly stride?: number;
  readonly format?: 'spans' | 'bio';
  readonly aggregation_strategy?: AggregationStrategy;
  readonly offsets?: 'code-point' | 'utf-16';
  readonly ignore_labels?: readonly string[];
}

const factory: PipelineFactory<CallPipeline> = {
  task: 'token-classification',
  async createPipeline(files: ModelFiles, use): Promise<CallPipeline> {
    const config = await readConfig(files);
    const labels = readLabels(config);
    const batching = use === 'lane' ? textBatching(graphSignature(files), config['pad_token_id']) : null;
    const tokenizer = use === 'prepare' ? await readTokenizer(files) : null;
    const limit = tokenizer ? tokenLimit({ config, tokenizerConfig: tokenizer.config, limits: files.limits }) : 0;
    return {
      sessions: { model: graphFile(files) },
      prepare(source, parameters) {
        if (!tokenizer) throw new Error('This pipeline was not made to prepare.');
        return toRows(textOf(source), tokenizer, limit, { ...files.parameters, ...parameters });
      },
      collate(rows) {
        if (!batching) throw new Error('This pipeline was not made for a lane.');
        return collateText(rows, batching);
      },
      postprocess: (outputs, rows) => postprocess(outputs['logits'], rows, labels),
      merge: (parts, contexts) =>
        parts.length === 1 ? parts[0] : mergeWindows(parts as Float32Array[], contexts as RowContext[], labels),
      canary: { rows: [canaryRow()] },
    };
  },
};

export default factory;

/** Imported late: a lane starts without the tokeniser library. */
async function readTokenizer(files: ModelFiles): Promise<TextTokenizer> {
  const { loadTokenizer } = await import('../../text/tokenizer.ts');
  return loadTokenizer(files.versionFolder);
}

function postprocess(logits: BatchTensor | undefined, rows: readonly Row[], labels: readonly string[]): RowOutcome[] {
  const [, tokensMax = 0, width = 0] = logits?.dims ?? [];
  if (!logits || !(logits.data instanceof Float32Array) || width === 0) throw new Error('The graph gave no `logits`.');
  const { data } = logits;
  return rows.map((row, index) => {
    const own = data.subarray(index * tokensMax * width, (index * tokensMax + row.length) * width);
    if (!isFiniteAll(own)) {
      return { problem: new Problem('non-finite-output', 'The model gave NaN or infinity for this text.').toDetails() };
    }
    const { window, document } = row.context as RowContext;
    const scores = softmaxRows(own, width);
    if (window) return { part: scores.slice(window.keepFrom * width, window.keepTo * width) };
    return { part: document ? toOutput({ data: scores, width }, labels, document) : [] };
  });
}

/** In float32, as a window's scores travel: a tie must be one whichever way a text was cut. */
function softmaxRows(logits: Float32Array, width: number): Float32Array {
  const scores = new Float32Array(logits.length);
  for (let at = 0; at < logits.length; at += width) scores.set(softmax(logits.subarray(at, at + width)), at);
  return scores;
}

function mergeWindows(
  parts: readonly Float32Array[],
  contexts: readonly RowContext[],
  labels: readonly string[],
): unknown {
  const { document, scores } = joinWindows(parts, contexts);
  return toOutput(scores, labels, document);
}

function toOutput(scores: TokenScores, labels: readonly string[], document: SpanContext): unknown {
  return document.format === 'bio' ? toTags(scores, labels, document) : toSpans(scores, labels, document);
}

function toRows(text: string, tokenizer: TextTokenizer, limit: number, parameters: Parameters): Row[] {
  const encoding = tokenizer.encodeAligned(text);
  const document = spanContext(text, encoding, tokenizer, parameters);
  return windowRows(encoding, tokenizer, { document, limit, stride: parameters.stride });
}

function spanContext(
  text: string,
  encoding: AlignedEncoding,
  tokenizer: TextTokenizer,
  parameters: Parameters,
): SpanContext {
  return {
    text,
    starts: encoding.starts,
    ends: encoding.ends,
    kinds: Uint8Array.from(encoding.ids, (_, index) => kindOf(index, text, encoding, tokenizer)),
    strategy: parameters.aggregation_strategy ?? 'simple',
    offsets: parameters.offsets ?? 'code-point',
    ignore: parameters.ignore_labels ?? ['O'],
    format: parameters.format ?? 'spans',
  };
}

/** As Hugging Face: marked subwords by the tokeniser's words, others by the white space before them. */
function kindOf(index: number, text: string, encoding: AlignedEncoding, tokenizer: TextTokenizer): number {
  const { words, ids, starts } = encoding;
  if (words[index] === -1) return tokenKind.special;
  if (ids[index] === tokenizer.unknownId) return tokenKind.word;
  if (tokenizer.marksSubwords) return words[index] === words[index - 1] ? tokenKind.subword : tokenKind.word;
  const start = starts[index] ?? 0;
  return start > 0 && !/\s/.test(text[start - 1] ?? '') ? tokenKind.subword : tokenKind.word;
}

/** Eight padding tokens: in every vocabulary, and labelled as nothing. */
function canaryRow(): Row {
  const context: SpanContext = {
    text: '',
    starts: new Int32Array(8),
    ends: new Int32Array(8),
    kinds: new Uint8Array(8).fill(tokenKind.special),
    strategy: 'none',
    offsets: 'code-point',
    ignore: [],
    format: 'spans',
  };
  return textRow(new Int32Array(8), { document: context } satisfies RowContext);
}
