/**
 * How rankings are remembered and learned from: places and scores, never the documents. An example has the query, the
 * documents and a label for each, the columns that listwise trainers of cross-encoders read.
 */
import { z } from 'zod';
import type { TaskRecord } from '../../task.ts';
import type { RankingItem } from './contract.ts';

interface Place {
  readonly index: number;
  readonly score?: number | undefined;
}

const place = z.strictObject({
  index: z.int().min(0).max(100_000),
  /** Relevance, 0 to 1; the place tells it where it is left out. */
  score: z.number().optional(),
  text: z.string().max(100_000).optional(),
});
const places = z
  .array(place)
  .min(1)
  .max(10_000)
  .refine((list) => new Set(list.map(({ index }) => index)).size === list.length, 'no document has two places');

const record: TaskRecord = {
  task: 'text-ranking',
  lengthUnit: 'characters',
  summarize(output, { sizeMax }) {
    const found = placesOf(output);
    const kept = found.slice(0, sizeMax).map(({ index, score }) => ({
      index,
      ...(score !== undefined && { score: Math.round(score * 1e4) / 1e4 }),
    }));
    const isCut = found.length > sizeMax;
    return { label: null, score: found[0]?.score ?? null, summary: { places: kept, ...(isCut && { cut: true }) } };
  },
  correction: z.union([places, z.strictObject({ results: places, tokens: z.int().optional() })]),
  toExample({ text, summary }) {
    const ranked = summary['places'] as readonly Place[];
    if (text === null) return { query: null, docs: null, labels: null, places: ranked };
    const { query, documents } = JSON.parse(text) as RankingItem;
    const labels = new Array<number>(documents.length).fill(0);
    for (const [at, { index, score }] of ranked.entries())
      if (index < labels.length) labels[index] = score ?? (ranked.length - at) / ranked.length;
    return { query, docs: documents, labels };
  },
};

export default record;

function placesOf(output: unknown): readonly Place[] {
  return Array.isArray(output) ? (output as Place[]) : (output as { results: Place[] }).results;
}
