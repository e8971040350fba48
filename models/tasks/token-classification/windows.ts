/**
 * A text as the rows of its windows, and the scores of all windows as those of the text. Which tokens a window reads
 * and answers for is `text/token-windows.ts`'s to say.
 */
import { Problem } from '../../../shared/problems/problem.ts';
import type { Row } from '../../task.ts';
import { textRow } from '../../text/text-rows.ts';
import { planWindows, type TokenWindow } from '../../text/token-windows.ts';
import type { AlignedEncoding, TextTokenizer } from '../../text/tokenizer.ts';
import { type SpanContext, tokenKind } from './spans.ts';

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

/** The text and the scores of its tokens, from what its windows gave. */
export function joinWindows(
  parts: readonly Float32Array[],
  contexts: readonly RowContext[],
): { readonly document: SpanContext; readonly scores: readonly Float32Array[] } {
  const document = contexts[0]?.document;
  if (!document) throw new Error('The first window brings no text.');
  // Special tokens have none and are not looked at.
  const scores = new Array<Float32Array>(document.kinds.length).fill(new Float32Array());
  for (const [index, part] of parts.entries()) {
    const { keepFrom, keepTo, at } = contexts[index]?.window ?? { keepFrom: 0, keepTo: 0, at: 0 };
    const own = splitRows(part, part.length / (keepTo - keepFrom));
    for (const [token, values] of own.entries()) scores[at + token] = values;
  }
  return { document, scores };
}

/** Scores of many tokens as those of each, `width` labels wide. */
export function splitRows(scores: Float32Array, width: number): Float32Array[] {
  const count = width > 0 ? scores.length / width : 0;
  return Array.from({ length: count }, (_, at) => scores.subarray(at * width, (at + 1) * width));
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
