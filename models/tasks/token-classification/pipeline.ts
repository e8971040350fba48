/**
 * Token classification: text to ids with offsets, logits to labelled spans. One row per text; a text longer than the
 * model is refused.
 */
import { Problem } from '../../../shared/problems/problem.ts';
import { isFiniteAll, softmax } from '../../numeric/softmax.ts';
import type { ModelFiles } from '../../repository/model-files.ts';
import { graphFile, graphSignature, readConfig, readLabels } from '../../repository/version-files.ts';
import type { BatchTensor, CallPipeline, PipelineFactory, Row, RowOutcome } from '../../task.ts';
import { collateText, textBatching, textRow } from '../../text/text-rows.ts';
import { textOf } from '../../text/text-source.ts';
import { checkTokens, tokenLimit } from '../../text/token-limit.ts';
import type { AlignedEncoding, TextTokenizer } from '../../text/tokenizer.ts';
import type { AggregationStrategy } from './contract.ts';
import { type SpanContext, tokenKind, toSpans } from './spans.ts';

interface Parameters {
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
        const text = textOf(source);
        const encoding = tokenizer.encodeAligned(text);
        checkTokens(encoding.ids.length, limit);
        return [textRow(encoding.ids, spanContext(text, encoding, tokenizer, { ...files.parameters, ...parameters }))];
      },
      collate(rows) {
        if (!batching) throw new Error('This pipeline was not made for a lane.');
        return collateText(rows, batching);
      },
      postprocess: (outputs, rows) => postprocess(outputs['logits'], rows, labels),
      merge: (parts) => parts[0],
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
    const scores = Array.from({ length: row.length }, (_, at) => softmax(own.subarray(at * width, (at + 1) * width)));
    return { part: toSpans(scores, labels, row.context as SpanContext) };
  });
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
  };
  return textRow(new Int32Array(8), context);
}
