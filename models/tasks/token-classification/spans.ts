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

/** Softmaxed scores of all tokens of a text, special ones included: `width` labels per token, one after the other. */
export interface TokenScores {
  readonly data: Float32Array;
  readonly width: number;
}

/** Tokens `from..to` of the row, the end excluded. */
export interface Word {
  readonly from: number;
  to: number;
}

/** Linear, and sparing with objects: a text of 256 KB has 50,000 tokens. */
export function toSpans(scores: TokenScores, labels: readonly string[], context: SpanContext): Span[] {
  const unit = unitOf(context);
  const spans: Span[] = [];
  for (const part of partsOf(scores, labels, context)) {
    if (context.ignore.includes(part.label) || !isVisible(part, context)) continue;
    const score = roundScore(part.score);
    const word = context.text.slice(part.start, part.end);
    const place = { word, start: unit(part.start), end: unit(part.end) };
    if (context.strategy === 'none') spans.push({ entity: part.label, score, index: part.index, ...place });
    else spans.push({ entity_group: part.label, score, ...place });
  }
  return spans;
}

function partsOf(scores: TokenScores, labels: readonly string[], context: SpanContext): Labelled[] {
  const words = groupWords(context, ['none', 'simple'].includes(context.strategy));
  const labelled = words.map((word) => labelWord(word, scores, labels, context));
  if (context.strategy === 'none') return labelled;
  return groupEntities(labelled).map(({ tag, members }) => joinMembers(tag, members));
}

/** False for a token that stands for no visible text. */
export function isVisible({ start, end }: Labelled, { text }: SpanContext): boolean {
  return text.slice(start, end).trim() !== '';
}

export function unitOf(context: SpanContext): (position: number) => number {
  return context.offsets === 'utf-16' ? (position) => position : toCodePoints(context.text);
}

/** Every token but the special ones, with the subwords that follow it unless each is to be a word by itself. */
export function groupWords({ kinds }: SpanContext, isEachAlone: boolean): Word[] {
  const words: Word[] = [];
  for (let index = 0; index < kinds.length; index++) {
    if (kinds[index] === tokenKind.special) continue;
    const last = words.at(-1);
    if (last && !isEachAlone && kinds[index] === tokenKind.subword) last.to = index + 1;
    else words.push({ from: index, to: index + 1 });
  }
  return words;
}

export function labelWord(
  { from, to }: Word,
  scores: TokenScores,
  labels: readonly string[],
  context: SpanContext,
): Labelled {
  const [label, score] = scoreWord(from, to, scores, context.strategy);
  const [start, end] = [context.starts[from] ?? 0, context.ends[to - 1] ?? 0];
  return { label: labels[label] ?? `LABEL_${label}`, score, index: from, start, end };
}

/** Label and score of tokens `from..to`: of the surest, of their mean, or else of the first. */
function scoreWord(
  from: number,
  to: number,
  { data, width }: TokenScores,
  strategy: AggregationStrategy,
): [label: number, score: number] {
  if (strategy === 'average' && to - from > 1) {
    const mean = new Float64Array(width);
    for (let at = from * width; at < to * width; at++)
      mean[at % width] = (mean[at % width] ?? 0) + (data[at] ?? 0) / (to - from);
    const label = argmax(mean);
    return [label, mean[label] ?? 0];
  }
  const last = strategy === 'max' ? to : from + 1;
  let best = from * width;
  for (let at = best + 1; at < last * width; at++) if ((data[at] ?? 0) > (data[best] ?? 0)) best = at;
  return [best % width, data[best] ?? 0];
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
