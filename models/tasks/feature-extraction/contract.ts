/**
 * What callers send to and get from feature extraction: a text becomes one vector, pooled as sentence-transformers does.
 */
import { z } from 'zod';
import type { TaskContract } from '../../task.ts';

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
    truncate: z.boolean().optional().describe('Cut a text that is too long instead of refusing it. Default false.'),
  }),
  output: z.array(z.number()).describe('The vector.'),
  // 8,192 tokens, the longest window in wide use, are about 40 KB of text; 256 KB leaves room for long scripts.
  limits: { itemBytesMax: 262_144 },
  example: {
    input: 'The weather is lovely today.',
    parameters: { normalize: true },
    output: [0.0191, 0.12, 0.0095],
  },
};

export default contract;
