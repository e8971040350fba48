/**
 * One tokeniser's steps: added tokens, normaliser, pre-tokeniser, model, post-processor, as Hugging Face's Rust tokenisers
 * walk them. Written once; it goes over plain texts, or over texts that remember where their units came from.
 */
import { type AddedToken, type FindAdded, finderOf } from './added-tokens.ts';
import { locateTokens, type TokenRange } from './align-tokens.ts';
import { type AlignedText, alignSource } from './aligned-text.ts';
import { aligned, type Carrier, plain } from './carrier.ts';
import { createNormalizer } from './normalizers/create-normalizer.ts';
import type { Rewrite } from './normalizers/rewrite.ts';
import { createPreTokenizer, type PreStep } from './pre-tokenizers/create-pre-tokenizer.ts';
import type { StepConfig } from './step-config.ts';
import { compilePattern, openModel, type TokenModel } from './token-model.ts';

type Json = Readonly<Record<string, unknown>>;

export interface AlignedEncoding {
  readonly ids: Int32Array;
  readonly tokens: readonly string[];
  /** UTF-16 positions in the text; equal for special tokens and those that stand for nothing visible. */
  readonly starts: Int32Array;
  readonly ends: Int32Array;
  /** Which pre-token ("word") a token belongs to; -1 for tokens that the post-processor added. */
  readonly words: Int32Array;
}

interface Located extends TokenRange {
  readonly word: number;
}

/** A stretch that the model turns into tokens, or an added token. */
interface Piece<T> {
  readonly value: T;
  readonly added: AddedToken | null;
}

/** Stateless between texts. */
export class TokenWalk {
  readonly model: TokenModel;
  /** Ids that the post-processor puts around a text, and their tokens. */
  readonly before: readonly number[];
  readonly after: readonly number[];
  readonly #specials: { readonly before: readonly string[]; readonly after: readonly string[] };
  readonly #normalizer: Rewrite | null;
  readonly #preSteps: readonly PreStep[];
  readonly #addedIds: ReadonlyMap<string, number>;
  readonly #findInSource: FindAdded;
  readonly #findInNormalized: FindAdded;

  constructor(json: Json, config: Json) {
    this.model = openModel(json, config);
    this.#normalizer = createNormalizer((json['normalizer'] ?? null) as StepConfig | null, compilePattern);
    this.#preSteps = createPreTokenizer((json['pre_tokenizer'] ?? null) as StepConfig | null, compilePattern);
    const added = (json['added_tokens'] ?? []) as readonly AddedToken[];
    this.#addedIds = new Map(added.map(({ content, id }) => [content, id]));
    const isNormalized = ({ normalized, special }: AddedToken) => normalized ?? special !== true;
    this.#findInSource = finderOf(
      added.filter((token) => !isNormalized(token)),
      (content) => content,
    );
    this.#findInNormalized = finderOf(
      added.filter(isNormalized),
      (content) => this.#normalizer?.apply(content) ?? content,
    );
    const marker = '\u{f0000}';
    const around = this.model.postProcess?.([marker], null, true).tokens ?? [marker];
    const at = around.indexOf(marker);
    this.#specials = { before: around.slice(0, Math.max(0, at)), after: around.slice(at + 1) };
    this.before = this.#specials.before.map((token) => this.idOf(token));
    this.after = this.#specials.after.map((token) => this.idOf(token));
  }

  idOf(token: string): number {
    return this.#addedIds.get(token) ?? this.model.idOf(token);
  }

  /** Ids without those around them. */
  encode(text: string): number[] {
    const { model } = this;
    const ids: number[] = [];
    for (const { value, added } of this.#pieces(plain, text)) {
      if (added) {
        ids.push(added.id);
        continue;
      }
      let previous: number | null = null;
      for (const token of model.tokensOf(value)) {
        const id = model.idOf(token);
        if (!model.fusesUnknown || id !== model.unknownId || id !== previous) ids.push(id);
        previous = id;
      }
    }
    return ids;
  }

  encodeAligned(text: string): AlignedEncoding {
    const { before, after } = this.#specials;
    const located: Located[] = [];
    let word = 0;
    for (const { value, added } of this.#pieces(aligned, alignSource(text))) {
      for (const range of added ? [wholeToken(value, added)] : this.#locate(value)) located.push({ ...range, word });
      word++;
    }
    const tokens = [...before, ...located.map(({ token }) => token), ...after];
    const result = {
      ids: Int32Array.from(tokens, (token) => this.idOf(token)),
      tokens,
      starts: new Int32Array(tokens.length),
      ends: new Int32Array(tokens.length),
      words: new Int32Array(tokens.length).fill(-1),
    };
    for (const [index, range] of located.entries()) {
      const [from, to] = tidyRange(text, range.start, range.end, located[index + 1]?.start ?? text.length);
      result.starts[index + before.length] = from;
      result.ends[index + before.length] = to;
      result.words[index + before.length] = range.word;
    }
    return result;
  }

  #locate(piece: AlignedText): TokenRange[] {
    const { model } = this;
    const located = locateTokens(piece, model.tokensOf(piece.text), model.marks);
    if (!model.fusesUnknown) return located;
    const isUnknown = ({ token }: TokenRange) => model.idOf(token) === model.unknownId;
    const fused: TokenRange[] = [];
    for (const range of located) {
      const last = fused.at(-1);
      if (last && isUnknown(last) && isUnknown(range)) fused[fused.length - 1] = { ...last, end: range.end };
      else fused.push(range);
    }
    return fused;
  }

  /** Added tokens are cut out before and after normalising; what is left is cut into words. */
  *#pieces<T>(carrier: Carrier<T>, source: T): Generator<Piece<T>> {
    for (const raw of this.#cutOut(carrier, source, this.#findInSource, true)) {
      if (raw.added) {
        yield raw;
        continue;
      }
      const normalized = this.#normalizer ? carrier.rewrite(raw.value, this.#normalizer) : raw.value;
      for (const part of this.#cutOut(carrier, normalized, this.#findInNormalized, raw.isFirst)) {
        if (part.added) yield part;
        else yield* this.#words(carrier, part);
      }
    }
  }

  *#cutOut<T>(carrier: Carrier<T>, value: T, find: FindAdded, isFirst: boolean): Generator<Stretch<T>> {
    for (const { from, to, added } of find(carrier.textOf(value))) {
      if (from < to) yield { value: carrier.slice(value, from, to), added, isFirst: isFirst && from === 0 };
    }
  }

  #words<T>(carrier: Carrier<T>, part: Stretch<T>): Stretch<T>[] {
    return this.#preSteps.reduce<Stretch<T>[]>(
      (pieces, step) =>
        pieces.flatMap(({ value, isFirst }) => {
          const text = carrier.textOf(value);
          if (step.kind === 'change') {
            const rewrite = step.rewriteFor(text, isFirst);
            return [{ value: rewrite ? carrier.rewrite(value, rewrite) : value, added: null, isFirst }];
          }
          return step.cut(text).map(([from, to]) => ({
            value: carrier.slice(value, from, to),
            added: null,
            isFirst: isFirst && from === 0,
          }));
        }),
      [part],
    );
  }
}

interface Stretch<T> extends Piece<T> {
  /** The source begins with it. */
  readonly isFirst: boolean;
}

function wholeToken({ text, starts, ends }: AlignedText, { content }: AddedToken): TokenRange {
  const start = starts[0] ?? 0;
  return { token: content, start, end: ends[text.length - 1] ?? start };
}

/** Marks and joiners that belong to the character before them. */
const trailingMarks = /[\p{M}\u200d]+/uy;

/**
 * Offsets never include the white space that some tokenisers glue to a word, and never leave out marks on the last
 * letter, which accent stripping drops: "cafe\u0301" is one word of five code points.
 */
function tidyRange(text: string, start: number, end: number, next: number): [number, number] {
  const slice = text.slice(start, end);
  const left = slice.length - slice.trimStart().length;
  if (left === slice.length) return [start, end];
  const to = start + slice.trimEnd().length;
  if (to < end || to >= next) return [start + left, to];
  trailingMarks.lastIndex = to;
  const marks = trailingMarks.exec(text)?.[0].length ?? 0;
  return [start + left, Math.min(to + marks, next)];
}
