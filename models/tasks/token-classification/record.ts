/**
 * How spans are remembered and learned from. The best-scored span gives the label; words are slices of the text and are
 * kept only where the text may be. Examples have what both kinds of trainers read: entities by offset, and BIO tags.
 */
import { z } from 'zod';
import type { TaskRecord } from '../../task.ts';

interface Span {
  readonly label: string;
  readonly start: number;
  readonly end: number;
  readonly score?: number;
  readonly word?: string;
}

type OutputSpan = Omit<Span, 'label'> & { readonly entity_group?: string; readonly entity?: string };

/** Of the format `bio`. */
interface OutputTag {
  readonly start_index: number;
  readonly end_index: number;
  readonly entity: string;
}

const place = {
  score: z.number().min(0).max(1).optional(),
  word: z.string().max(10_000).optional(),
  start: z.int().min(0),
  end: z.int().min(1),
  index: z.int().optional(),
};
const label = z.string().min(1).max(128);

const record: TaskRecord = {
  task: 'token-classification',
  lengthUnit: 'characters',
  summarize(output, { parameters, keepsInput, sizeMax }) {
    const found = spansOf(output);
    const best = found.reduce<OutputSpan | undefined>((a, b) => ((b.score ?? 0) > (a?.score ?? -1) ? b : a), undefined);
    const spans = found.slice(0, sizeMax).map((span) => toSpan(span, keepsInput));
    return {
      label: best ? labelOf(best) : null,
      score: best?.score ?? null,
      summary: {
        spans,
        ...(found.length > sizeMax && { cut: true }),
        ...(parameters['offsets'] === 'utf-16' && { offsets: 'utf-16' }),
      },
    };
  },
  correction: z
    .array(
      z.union([
        z.strictObject({ entity_group: label, ...place }),
        z.strictObject({ entity: label, ...place }),
        z.strictObject({ start_index: place.start, end_index: place.end, entity: label }),
      ]),
    )
    .max(10_000)
    .refine((spans) => spansOf(spans).every(({ start, end }) => start < end), 'each span ends after its start'),
  misfit(correction, inputLength) {
    const beyond = spansOf(correction).find(({ end }) => end > inputLength);
    return beyond ? `A span ends at ${beyond.end}; the text has ${inputLength} characters.` : null;
  },
  toExample({ text, summary }) {
    const spans = summary['spans'] as readonly Span[];
    const isUtf16 = summary['offsets'] === 'utf-16';
    const entities = spans.map(({ start, end, label }) => ({ start, end, label }));
    return {
      text,
      entities,
      offsets: isUtf16 ? 'utf-16' : 'code-point',
      ...(text === null ? { tokens: null, ner_tags: null } : tagTokens(text, entities, isUtf16)),
    };
  },
};

export default record;

/** Spans of any output; words with BIO labels are joined again. */
function spansOf(output: unknown): readonly OutputSpan[] {
  const spans: OutputSpan[] = [];
  for (const part of output as readonly (OutputSpan | OutputTag)[]) {
    if (!('start_index' in part)) spans.push(part);
    else if (part.entity !== 'O') joinTag(spans, part);
  }
  return spans;
}

function joinTag(spans: OutputSpan[], { start_index: start, end_index: end, entity }: OutputTag): void {
  const last = spans.at(-1);
  const entity_group = entity.replace(/^[BI]-/, '');
  if (last && entity.startsWith('I-') && last.entity_group === entity_group) spans[spans.length - 1] = { ...last, end };
  else spans.push({ entity_group, start, end });
}

function labelOf(span: OutputSpan): string {
  return span.entity_group ?? span.entity ?? '';
}

function toSpan(span: OutputSpan, keepsInput: boolean): Span {
  const { start, end, score, word } = span;
  return {
    label: labelOf(span),
    start,
    end,
    ...(score !== undefined && { score: Math.round(score * 1e4) / 1e4 }),
    ...(keepsInput && word !== undefined && { word }),
  };
}

/** Words and marks as tokens, each with its BIO tag. A tag that the model gave as `B-X` counts as `X`. */
function tagTokens(
  text: string,
  entities: readonly Span[],
  isUtf16: boolean,
): { tokens: string[]; ner_tags: string[] } {
  const tokens: string[] = [];
  const tags: string[] = [];
  let at = 0;
  let seen = 0;
  let before: Span | undefined;
  for (const match of text.matchAll(/[\p{L}\p{N}\p{M}]+|[^\s\p{L}\p{N}\p{M}]/gu)) {
    // Offsets count code points; regular expressions count UTF-16 units.
    at += isUtf16 ? match.index - seen : [...text.slice(seen, match.index)].length;
    seen = match.index;
    const entity = entities.find(({ start, end }) => start <= at && at < end);
    const isFirst = entity !== before;
    before = entity;
    tokens.push(match[0]);
    tags.push(entity ? `${isFirst ? 'B' : 'I'}-${entity.label.replace(/^[BI]-/, '')}` : 'O');
  }
  return { tokens, ner_tags: tags };
}
