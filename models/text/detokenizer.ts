/**
 * Ids to text by the `decoder` of tokenizer.json: byte level, metaspace, WordPiece, byte fallback and the rest of what
 * Hugging Face's tokenizers write there. Own work, since it runs in lanes, which load no library.
 */
import type { Json } from '../repository/version-files.ts';
import { byteOfCharacter } from './byte-alphabet.ts';
import { cleanUp } from './clean-up.ts';

export interface Detokenizer {
  /** Ids in `hidden` are left out: special tokens when absent. */
  decode(ids: readonly number[], hidden?: ReadonlySet<number>): string;
  readonly specialIds: ReadonlySet<number>;
  /** Undefined for a token that the vocabulary does not have. */
  idOf(token: string): number | undefined;
}

/** One step: pieces of text in, pieces of text out; the last pieces are joined. */
type Step = (pieces: readonly string[]) => string[];

export function createDetokenizer(tokenizer: Json, tokenizerConfig: Json): Detokenizer {
  const ids = new Map<string, number>(vocabularyOf(tokenizer['model'] as Json));
  const specialIds = new Set<number>();
  for (const added of (tokenizer['added_tokens'] ?? []) as { id: number; content: string; special: boolean }[]) {
    ids.set(added.content, added.id);
    if (added.special) specialIds.add(added.id);
  }
  const tokens: string[] = [];
  for (const [token, id] of ids) tokens[id] = token;
  const step = stepOf((tokenizer['decoder'] ?? null) as Json | null);
  const cleansUp = tokenizerConfig['clean_up_tokenization_spaces'] === true;
  return {
    specialIds,
    idOf: (token) => ids.get(token),
    decode(own, hidden = specialIds) {
      const shown = own.filter((id) => !hidden.has(id) && tokens[id] !== undefined);
      const text = step(shown.map((id) => tokens[id] as string)).join('');
      return cleansUp ? cleanUp(text) : text;
    },
  };
}

/** Unigram models list [piece, score] by id; the others map pieces to ids. */
function vocabularyOf({ vocab }: Json): [string, number][] {
  if (Array.isArray(vocab)) return (vocab as [string, number][]).map(([piece], id) => [piece, id]);
  return Object.entries((vocab ?? {}) as Record<string, number>);
}

function stepOf(decoder: Json | null): Step {
  if (!decoder) return (pieces) => [pieces.join(' ')];
  switch (decoder['type']) {
    case 'Sequence':
      return sequenceStep((decoder['decoders'] as Json[]).map(stepOf));
    case 'ByteLevel':
      return (pieces) => [decodeBytes(pieces.join(''))];
    case 'Metaspace':
      return metaspaceStep(decoder);
    case 'WordPiece':
      return wordPieceStep(decoder);
    case 'BPEDecoder':
      return suffixStep(String(decoder['suffix'] ?? '</w>'));
    case 'ByteFallback':
      return byteFallback;
    case 'Fuse':
      return (pieces) => [pieces.join('')];
    case 'Strip':
      return stripStep(decoder);
    case 'Replace':
      return replaceStep(decoder);
    default:
      throw new Error(`tokenizer.json names the decoder ${String(decoder['type'])}, which is not known here.`);
  }
}

function sequenceStep(steps: readonly Step[]): Step {
  return (pieces) => steps.reduce<string[]>((before, step) => step(before), [...pieces]);
}

const utf8 = new TextDecoder('utf-8', { ignoreBOM: true });

/** Characters outside the alphabet come from added tokens and stand for themselves. */
function decodeBytes(text: string): string {
  const bytes: number[] = [];
  for (const character of text) {
    const byte = byteOfCharacter.get(character);
    if (byte === undefined) bytes.push(...new TextEncoder().encode(character));
    else bytes.push(byte);
  }
  return utf8.decode(Uint8Array.from(bytes));
}

function metaspaceStep(decoder: Json): Step {
  const mark = String(decoder['replacement'] ?? '▁');
  const prepends = decoder['prepend_scheme'] !== 'never' && decoder['add_prefix_space'] !== false;
  return (pieces) =>
    pieces.map((piece, index) => {
      const own = index === 0 && prepends && piece.startsWith(mark) ? piece.slice(mark.length) : piece;
      return own.replaceAll(mark, ' ');
    });
}

function wordPieceStep(decoder: Json): Step {
  const prefix = String(decoder['prefix'] ?? '##');
  const cleansUp = decoder['cleanup'] !== false;
  return (pieces) =>
    pieces.map((piece, index) => {
      const glued = piece.startsWith(prefix) ? piece.slice(prefix.length) : ` ${piece}`;
      const own = index === 0 ? piece : glued;
      return cleansUp ? cleanUp(own) : own;
    });
}

function suffixStep(suffix: string): Step {
  return (pieces) => pieces.map((piece, i) => piece.replaceAll(suffix, i === pieces.length - 1 ? '' : ' '));
}

/** Neighbouring `<0xE2>` are the bytes of a text; those that are no UTF-8 become U+FFFD each. */
function byteFallback(pieces: readonly string[]): string[] {
  const decoded: string[] = [];
  let bytes: number[] = [];
  const flush = () => {
    if (bytes.length === 0) return;
    const text = utf8.decode(Uint8Array.from(bytes));
    decoded.push(text.includes('\ufffd') ? '\ufffd'.repeat(bytes.length) : text);
    bytes = [];
  };
  for (const piece of pieces) {
    const byte = /^<0x([0-9A-Fa-f]{2})>$/.exec(piece)?.[1];
    if (byte !== undefined) bytes.push(Number.parseInt(byte, 16));
    else {
      flush();
      decoded.push(piece);
    }
  }
  flush();
  return decoded;
}

function stripStep(decoder: Json): Step {
  const content = String(decoder['content'] ?? ' ');
  const [start, stop] = [Number(decoder['start'] ?? 0), Number(decoder['stop'] ?? 0)];
  return (pieces) =>
    pieces.map((piece) => {
      let own = piece;
      for (let i = 0; i < start && own.startsWith(content); i++) own = own.slice(content.length);
      for (let i = 0; i < stop && own.endsWith(content); i++) own = own.slice(0, -content.length);
      return own;
    });
}

function replaceStep(decoder: Json): Step {
  const pattern = (decoder['pattern'] ?? {}) as { String?: string; Regex?: string };
  const from = pattern.Regex === undefined ? (pattern.String ?? '') : new RegExp(pattern.Regex, 'gu');
  const to = String(decoder['content'] ?? '');
  return (pieces) => pieces.map((piece) => piece.replaceAll(from, () => to));
}
