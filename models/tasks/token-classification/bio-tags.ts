/**
 * Scores of tokens to words with BIO labels, as annotators of entities write them. Whatever the model's own labels look
 * like, what comes out is valid: a span begins with B-. Pure.
 */
import {
  groupEntities,
  groupWords,
  isVisible,
  labelWord,
  type SpanContext,
  type TokenScores,
  unitOf,
} from './spans.ts';

/** A word; `end_index` is the position after it. */
export interface Tag {
  readonly start_index: number;
  readonly end_index: number;
  readonly entity: string;
}

export function toTags(scores: TokenScores, labels: readonly string[], context: SpanContext): Tag[] {
  const words = groupWords(context, false).map((word) => labelWord(word, scores, labels, context));
  const unit = unitOf(context);
  return groupEntities(words)
    .filter(({ tag }) => !context.ignore.includes(tag))
    .flatMap(({ tag, members }) => {
      const seen = members.filter((word) => isVisible(word, context));
      return seen.map(({ start, end }, index) => ({
        start_index: unit(start),
        end_index: unit(end),
        entity: tag === 'O' ? tag : `${index === 0 ? 'B' : 'I'}-${tag}`,
      }));
    });
}
