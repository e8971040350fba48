/**
 * A text as the rows of its windows, and the scores of all windows as those of the text. Which tokens a window reads
 * and answers for is `text/token-windows.ts`'s to say.
 */
import { Problem } from '../../../shared/problems/problem.ts';
import type { Row } from '../../task.ts';
import { textRow } from '../../text/text-rows.ts';
import type { AlignedEncoding } from '../../text/token-walk.ts';
import { planWindows, type TokenWindow } from '../../text/token-windows.ts';
import type { TextTokenizer } from '../../text/tokenizer.ts';
import { type SpanContext, type TokenScores, tokenKind } from './spans.ts';

/** What travels with a row. */
export interface RowContext {
  /** The text as a whole: of a row that is the whole text, and of the first of several. */
  readonly document?: SpanContext;
  /** Absent where the row is the whole text. */
  readonly window?: {
    /** Tokens of the row that it answers for. */
    readonly keepFrom: number;
    readonly keepTo: number;
    /** Where they begin among those of the text, special ones included. */
    readonly at: number;
  };
}

/** A model of 128 tokens needs some 2,700 for the longest text that the contract takes. */
const windowsMax = 4096;

export interface WindowWish {
  readonly document: SpanContext;
  /** Tokens that the model takes, special ones included. */
  readonly limit: number;
  /** Absent: a quarter of a window. */
  readonly stride: number | undefined;
}

export function windowRows(encoding: AlignedEncoding, tokenizer: TextTokenizer, wish: WindowWish): Row[] {
  const { document, limit } = wish;
  const { specialsBefore, specialsAfter } = tokenizer;
  const room = limit - specialsBefore - specialsAfter;
  const stride = wish.stride ?? Math.floor(room / 4);
  checkStride(stride, room);
  if (encoding.ids.length <= limit) return [textRow(encoding.ids, { document } satisfies RowContext)];
  const tokens = encoding.ids.length - specialsBefore - specialsAfter;
  const startsWord = (token: number) => document.kinds[token + specialsBefore] === tokenKind.word;
  const windows = planWindows({ tokens, room, stride, startsWord });
  if (windows.length > windowsMax) {
    const detail = `The text has ${tokens} tokens, ${windows.length} windows of this model; ${windowsMax} are the most. Split the text.`;
    throw new Problem('input-too-long', detail);
  }
  return windows.map((window, index) => {
    const context: RowContext = {
      window: {
        keepFrom: window.keepFrom - window.from + specialsBefore,
        keepTo: window.keepTo - window.from + specialsBefore,
        at: window.keepFrom + specialsBefore,
      },
      ...(index === 0 && { document }),
    };
    return textRow(idsOf(encoding.ids, window, tokenizer), context);
  });
}

/** The text and the scores of its tokens, from what its windows gave. Those of special tokens stay 0: nobody looks. */
export function joinWindows(
  parts: readonly Float32Array[],
  contexts: readonly RowContext[],
): { readonly document: SpanContext; readonly scores: TokenScores } {
  const document = contexts[0]?.document;
  if (!document) throw new Error('The first window brings no text.');
  const kept = contexts.reduce((sum, { window }) => sum + (window ? window.keepTo - window.keepFrom : 0), 0);
  const width = parts.reduce((sum, part) => sum + part.length, 0) / kept;
  const data = new Float32Array(document.kinds.length * width);
  for (const [index, part] of parts.entries()) data.set(part, (contexts[index]?.window?.at ?? 0) * width);
  return { document, scores: { data, width } };
}

/** The window's tokens between the special ones of the text. */
function idsOf(all: Int32Array, { from, to }: TokenWindow, { specialsBefore, specialsAfter }: TextTokenizer) {
  const ids = new Int32Array(specialsBefore + to - from + specialsAfter);
  ids.set(all.subarray(0, specialsBefore));
  ids.set(all.subarray(specialsBefore + from, specialsBefore + to), specialsBefore);
  ids.set(all.subarray(all.length - specialsAfter), ids.length - specialsAfter);
  return ids;
}

function checkStride(stride: number, room: number): void {
  const most = Math.floor(room / 2);
  if (stride <= most) return;
  const detail = `\`stride\` is ${stride}; windows of this model hold ${room} tokens, and at most ${most} can be shared.`;
  throw new Problem('validation-failed', detail, { errors: [{ pointer: '/parameters/stride', detail }] });
}
