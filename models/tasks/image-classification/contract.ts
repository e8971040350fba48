/**
 * What callers send to and get from image classification. Shapes follow Hugging Face's inference API.
 */
import { z } from 'zod';
import type { TaskContract } from '../../task.ts';

const scoreFunctions = ['softmax', 'sigmoid', 'none'] as const;
export type ScoreFunction = (typeof scoreFunctions)[number];

const contract: TaskContract = {
  task: 'image-classification',
  title: 'Image classification',
  description: 'Names what a picture shows, with a score per label.',
  media: 'image',
  defaultPriority: 'normal',
  parameters: z.strictObject({
    top_k: z.int().min(1).max(1000).optional().describe('How many labels to give, best first. Default 5.'),
    function_to_apply: z
      .enum(scoreFunctions)
      .optional()
      .describe('What turns logits into scores. Default: softmax, or sigmoid for a multi-label model.'),
  }),
  output: z.array(z.strictObject({ label: z.string(), score: z.number() })),
  // 24 MP is what sharp decodes in about 0.3 s and 72 MB; a phone's photo is 12 MP and about 5 MB.
  limits: { itemBytesMax: 20 * 1024 * 1024, imagePixelsMax: 24_000_000 },
  example: {
    input: { url: 'https://example.com/cat.jpg' },
    parameters: { top_k: 2 },
    output: [
      { label: 'Egyptian cat', score: 0.8713 },
      { label: 'tabby, tabby cat', score: 0.0952 },
    ],
  },
};

export default contract;
