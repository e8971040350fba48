/**
 * Scores of tokens to labelled spans, as Hugging Face's pipeline does it (gather, aggregate words, group entities),
 * except that `word` is always the exact slice of the text. Pure.
 */
import { argmax, roundScore } from '../../numeric/softmax.ts';
import { toCodePoints } from '../../text/offset-units.ts';
import type { AggregationStrategy } from './contract.ts';

/** What a token is to the grouping. */
export const tokenKind = { word: 0, subword: 1, special: 2 } as const;

/** The text of an item and its tokens, special ones included. */
export interface SpanContext {
  readonly text: string;
  /** UTF-16 positions, one per token of the row. */
  readonly starts: Int32Array;
  readonly ends: Int32Array;
  readonly kinds: Uint8Array;
  readonly strategy: AggregationStrategy;
  readonly offsets: 'code-point' | 'utf-16';
  readonly ignore: readonly string[];
  readonly format: 'spans' | 'bio';
}

export interface Span {
  readonly entity?: string;
  readonly entity_group?: string;
  readonly score: number;
  readonly index?: number;
  readonly word: string;
  readonly start: number;
  readonly end: number;
}

/** A token, or a word made of several. */
export interface Labelled {
  readonly label: string;
  readonly score: number;
  readonly index: number;
  readonly start: number;
  readonly end: number;
}

export type Scores = ArrayLike<number>;

/** @param scores per token, softmaxed, by label index; those of special tokens are not looked at. */
export function toSpans(scores: readonly Scores[], labels: readonly string[], context: SpanContext): Span[] {
  const tokens = textTokens(context);
  const finish = (part: Labelled, name: object, extra: object) => finishSpan(part, name, extra, context);
  if (context.strategy === 'none') {
    return tokens
      .map((index) => labelOne(index, scores[index] ?? [], labels, context))
      .filter((part) => !context.ignore.includes(part.label))
      .flatMap((part) => finish(part, { entity: part.label }, { index: part.index }));
  }
  const words = context.strategy === 'simple' ? tokens.map((index) => [index]) : groupWords(tokens, context);
  const labelled = words.map((word) => labelWord(word, scores, labels, context));
  return groupEntities(labelled)
    .map(({ tag, members }) => joinMembers(tag, members))
    .filter((part) => !context.ignore.includes(part.label))
    .flatMap((part) => finish(part, { entity_group: part.label }, {}));
}

/** Indices of all tokens but the special ones. */
export function textTokens({ kinds }: SpanContext): number[] {
  return [...kinds.keys()].filter((index) => kinds[index] !== tokenKind.special);
}

/** Nothing for a token that stands for no visible text. */
function finishSpan(part: Labelled, name: object, extra: object, context: SpanContext): Span[] {
  if (!isVisible(part, context)) return [];
  const word = context.text.slice(part.start, part.end);
  const unit = unitOf(context);
  return [{ ...name, score: roundScore(part.score), ...extra, word, start: unit(part.start), end: unit(part.end) }];
}

export function isVisible({ start, end }: Labelled, { text }: SpanContext): boolean {
  return text.slice(start, end).trim() !== '';
}

export function unitOf(context: SpanContext): (position: number) => number {
  return context.offsets === 'utf-16' ? (position) => position : pointsOf(context);
}

const pointCounters = new WeakMap<SpanContext, (position: number) => number>();

function pointsOf(context: SpanContext): (position: number) => number {
  const known = pointCounters.get(context) ?? toCodePoints(context.text);
  pointCounters.set(context, known);
  return known;
}

export function groupWords(tokens: readonly number[], context: SpanContext): number[][] {
  const words: number[][] = [];
  for (const index of tokens) {
    const last = words.at(-1);
    if (last && context.kinds[index] === tokenKind.subword) last.push(index);
    else words.push([index]);
  }
  return words;
}

function labelOne(index: number, scores: Scores, labels: readonly string[], context: SpanContext): Labelled {
  const best = argmax(scores);
  const [start, end] = [context.starts[index] ?? 0, context.ends[index] ?? 0];
  return { label: labels[best] ?? `LABEL_${best}`, score: scores[best] ?? 0, index, start, end };
}

export function labelWord(
  word: readonly number[],
  scores: readonly Scores[],
  labels: readonly string[],
  context: SpanContext,
): Labelled {
  const parts = word.map((index) => labelOne(index, scores[index] ?? [], labels, context));
  const [first] = parts;
  if (!first || parts.length === 1) return first as Labelled;
  const end = parts.at(-1)?.end ?? first.end;
  if (!['average', 'max'].includes(context.strategy)) return { ...first, end };
  if (context.strategy === 'max') {
    const best = parts.reduce((most, part) => (part.score > most.score ? part : most));
    return { ...best, index: first.index, start: first.start, end };
  }
  const mean = new Float64Array(labels.length);
  for (const index of word)
    for (let at = 0; at < mean.length; at++) mean[at] = (mean[at] ?? 0) + (scores[index]?.[at] ?? 0) / word.length;
  return { ...labelOne(first.index, mean, labels, context), end };
}

export interface Group {
  readonly tag: string;
  readonly members: Labelled[];
}

/** Neighbours of one tag join, unless one begins anew ("B-"). */
export function groupEntities(parts: readonly Labelled[]): Group[] {
  const groups: Group[] = [];
  for (const part of parts) {
    const { isBegin, tag } = splitTag(part.label);
    const last = groups.at(-1);
    if (last && last.tag === tag && !isBegin) last.members.push(part);
    else groups.push({ tag, members: [part] });
  }
  return groups;
}

function joinMembers(tag: string, members: readonly Labelled[]): Labelled {
  const [first] = members as [Labelled, ...Labelled[]];
  const score = members.reduce((sum, member) => sum + member.score, 0) / members.length;
  return { label: tag, score, index: first.index, start: first.start, end: members.at(-1)?.end ?? first.end };
}

/** BIO and BIOES ("E-", "S-") marks; labels without a mark count as inside. */
function splitTag(label: string): { isBegin: boolean; tag: string } {
  const match = /^([BIESLU])-(.+)$/.exec(label);
  if (!match) return { isBegin: false, tag: label };
  return { isBegin: 'BSU'.includes(match[1] ?? ''), tag: match[2] ?? label };
}
