/**
 * What callers send to and get from text ranking: a query and documents become the documents' places, best first. The
 * words are those of the rerank servers that people know (TEI's `raw_scores` and `truncate`, Cohere's `documents`,
 * `top_n`, `return_documents` and `max_tokens_per_doc`).
 */
import { z } from 'zod';
import type { TaskContract } from '../../task.ts';

/** As many as Cohere recommends for one request; a job holds 256 such items. */
const documentsMax = 1000;

const text = z.string().min(1, 'The text is empty.');
const document = z.union([text, z.strictObject({ text }).transform((given) => given.text)], {
  error: 'Must be a text that is not empty, or {"text": "..."}.',
});

/** A pair is the spelling of Hugging Face's pipelines for one document. */
const item = z.union(
  [
    z.strictObject({ query: text, documents: z.array(document).min(1).max(documentsMax) }),
    z
      .strictObject({ text, text_pair: text })
      .transform((pair) => ({ query: pair.text, documents: [pair.text_pair] as string[] })),
  ],
  { error: 'Must be {"query": "...", "documents": ["...", ...]}, or {"text": "...", "text_pair": "..."}.' },
);

/** What the pipeline gets. */
export type RankingItem = z.output<typeof item>;

const place = z.strictObject({
  index: z.int().min(0).describe('Of the document among those that were sent.'),
  score: z.number().describe('0 to 1, or the logit with `raw_scores`.'),
  text: z.string().optional().describe('The document, with `return_documents`.'),
});

const contract: TaskContract = {
  task: 'text-ranking',
  title: 'Text ranking',
  description: 'Orders documents by how well they answer a query; each pair is read by the model as a whole.',
  media: 'text',
  item,
  defaultPriority: 'normal',
  parameters: z.strictObject({
    top_n: z.int().min(1).max(documentsMax).optional().describe('Give the best so many. Default: all.'),
    return_documents: z.boolean().optional().describe('Give the documents too. Default false.'),
    raw_scores: z.boolean().optional().describe('Give logits instead of scores between 0 and 1. Default false.'),
    return_tokens: z
      .boolean()
      .optional()
      .describe('Give `{results, tokens}`, with the tokens that the model read. Default false.'),
    max_tokens_per_doc: z
      .int()
      .min(1)
      .max(1_048_576)
      .optional()
      .describe('Cut each document to so many tokens. Default: as the model takes.'),
    truncate: z
      .boolean()
      .optional()
      .describe('Cut a pair that is too long, the longer text first, instead of refusing it. Default false.'),
    truncation_direction: z
      .enum(['right', 'left'])
      .optional()
      .describe('Which end of a text is cut off. Default `right`: its beginning stays.'),
  }),
  output: z.union([
    z.array(place),
    z.strictObject({ results: z.array(place), tokens: z.int().describe('Of all pairs, special ones included.') }),
  ]),
  // 1,000 passages of 100 words are 0.6 MB; JSON may have 16 MiB in all.
  limits: { itemBytesMax: 2_097_152 },
  example: {
    input: {
      query: 'How many people live in Berlin?',
      documents: [
        'Berlin is well known for its museums.',
        'Berlin has a population of 3,520,031 registered inhabitants.',
      ],
    },
    parameters: { return_documents: true },
    output: [
      { index: 1, score: 0.999857, text: 'Berlin has a population of 3,520,031 registered inhabitants.' },
      { index: 0, score: 0.0132, text: 'Berlin is well known for its museums.' },
    ],
  },
};

export default contract;
