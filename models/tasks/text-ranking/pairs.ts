/**
 * A query and its documents as the pairs that a cross-encoder reads: ids and segments, cut or refused where they are too
 * long. Runs where items are prepared; loads the tokeniser.
 */
import { Problem } from '../../../shared/problems/problem.ts';
import type { ModelFiles } from '../../repository/model-files.ts';
import { graphSignature, readConfig } from '../../repository/version-files.ts';
import { joinPair, type PairFrame, shareRoom, specialsOf } from '../../text/text-pair.ts';
import { tokenLimit } from '../../text/token-limit.ts';

export interface PairParameters {
  readonly max_tokens_per_doc?: number;
  readonly truncate?: boolean;
  readonly truncation_direction?: 'right' | 'left';
}

export interface Pair {
  readonly ids: Int32Array;
  /** Absent where the graph asks for none. */
  readonly types?: Int32Array;
  /** Of the document. */
  readonly index: number;
}

type MakePairs = (query: string, documents: readonly string[], parameters: PairParameters) => Pair[];

export async function createPairs(files: ModelFiles): Promise<MakePairs> {
  const config = await readConfig(files);
  // Imported late: a lane starts without the tokeniser library.
  const { loadTokenizer } = await import('../../text/tokenizer.ts');
  const tokenizer = await loadTokenizer(files.versionFolder);
  const limit = tokenLimit({ config, tokenizerConfig: tokenizer.config, limits: files.limits });
  // RoBERTa's kin have one segment: its table has no second row, whatever the post-processor says.
  const hasSegments =
    graphSignature(files).inputs.includes('token_type_ids') && Number(config['type_vocab_size'] ?? 0) > 1;
  const frame = tokenizer.pairFrame();
  return (query, documents, parameters) => {
    const first = tokenizer.encodeBare(query);
    return documents.map((document, index) => {
      const second = cut(tokenizer.encodeBare(document), parameters.max_tokens_per_doc, parameters);
      const [a, b] = fit(first, second, { index, limit, frame, parameters });
      const { ids, types } = joinPair(frame, a, b);
      return { ids, index, ...(hasSegments && { types }) };
    });
  };
}

interface FitWish {
  readonly index: number;
  readonly limit: number;
  readonly frame: PairFrame;
  readonly parameters: PairParameters;
}

/** Throws `input-too-long` with the document and both figures unless cutting is allowed. */
function fit(query: Int32Array, document: Int32Array, { index, limit, frame, parameters }: FitWish) {
  const specials = specialsOf(frame);
  const room = limit - specials;
  if (query.length + document.length > room && parameters.truncate !== true) {
    const detail =
      `Document ${index} has ${document.length} tokens and the query ${query.length}; with ${specials} special ones ` +
      `a pair may have ${limit}. Split the document, or send \`truncate: true\`.`;
    throw new Problem('input-too-long', detail, { errors: [{ pointer: `/documents/${index}`, detail }] });
  }
  const [first, second] = shareRoom(query.length, document.length, room);
  return [cut(query, first, parameters), cut(document, second, parameters)] as const;
}

function cut(ids: Int32Array, tokensMax: number | undefined, { truncation_direction }: PairParameters): Int32Array {
  if (tokensMax === undefined || ids.length <= tokensMax) return ids;
  return truncation_direction === 'left' ? ids.subarray(ids.length - tokensMax) : ids.subarray(0, tokensMax);
}
