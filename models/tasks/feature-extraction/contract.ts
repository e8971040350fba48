/**
 * What callers send to and get from feature extraction: a text becomes one vector, made as sentence-transformers makes it.
 * The words are those that people know: OpenAI's `dimensions` and `encoding_format`, sentence-transformers' `prompt_name`.
 */
import { z } from 'zod';
import { poolingModes } from '../../numeric/pooling.ts';
import type { TaskContract } from '../../task.ts';

const vector = z.union([
  z.array(z.number()).describe('The vector.'),
  z.base64().describe('With `encoding_format` base64: its float32 numbers, little-endian.'),
]);

const contract: TaskContract = {
  task: 'feature-extraction',
  title: 'Feature extraction',
  description: 'Turns a text into a vector for search, clustering and similarity.',
  media: 'text',
  defaultPriority: 'normal',
  parameters: z.strictObject({
    normalize: z.boolean().optional().describe('Scale to unit length. Default: as the model was made.'),
    dimensions: z
      .int()
      .min(1)
      .max(65_536)
      .optional()
      .describe(
        'Keep the first so many numbers (Matryoshka models), then scale to unit length unless `normalize` is false.',
      ),
    pooling: z
      .enum(poolingModes)
      .optional()
      .describe(
        'How the vectors of the tokens become one. Default: as the model says; the mean where it says nothing.',
      ),
    prompt_name: z
      .string()
      .max(200)
      .optional()
      .describe(
        'Which of the model\'s prompts goes before the text, "query" or "document" for many. Default: as the model says.',
      ),
    prompt: z.string().max(10_000).optional().describe('Words to put before the text instead; "" for none.'),
    encoding_format: z
      .enum(['float', 'base64'])
      .optional()
      .describe('`base64` gives float32 numbers, little-endian. Default `float`: a list of numbers.'),
    return_tokens: z
      .boolean()
      .optional()
      .describe('Give `{embedding, tokens}`, with the tokens that the model read. Default false.'),
    truncate: z.boolean().optional().describe('Cut a text that is too long instead of refusing it. Default false.'),
    truncation_direction: z
      .enum(['right', 'left'])
      .optional()
      .describe('Which end is cut off. Default `right`: the beginning stays.'),
  }),
  output: z.union([
    ...vector.options,
    z.strictObject({ embedding: vector, tokens: z.int().min(0).describe('Special ones included.') }),
  ]),
  // 8,192 tokens, the longest window in wide use, are about 40 KB of text; 256 KB leaves room for long scripts.
  limits: { itemBytesMax: 262_144 },
  example: {
    input: 'The weather is lovely today.',
    parameters: { normalize: true },
    output: [0.0191, 0.12, 0.0095],
  },
};

export default contract;
