/**
 * What callers send to and get from token classification (named entities and the like). Shapes follow Hugging Face's
 * inference API; offsets count code points unless the caller asks for UTF-16 units.
 */
import { z } from 'zod';
import type { TaskContract } from '../../task.ts';

const aggregationStrategies = ['none', 'simple', 'first', 'average', 'max'] as const;
export type AggregationStrategy = (typeof aggregationStrategies)[number];

const position = {
  score: z.number().min(0).max(1),
  word: z.string().describe('Exact slice of the text that was sent.'),
  start: z.int().min(0),
  end: z.int().min(0),
};

const contract: TaskContract = {
  task: 'token-classification',
  title: 'Token classification',
  description: 'Finds and labels spans of a text: names, brands, amounts.',
  media: 'text',
  defaultPriority: 'normal',
  parameters: z.strictObject({
    aggregation_strategy: z
      .enum(aggregationStrategies)
      .optional()
      .describe('How tokens become spans. `none` gives tokens; the default, `simple`, joins neighbours of one label.'),
    offsets: z
      .enum(['code-point', 'utf-16'])
      .optional()
      .describe('Unit of `start` and `end`. Default `code-point` (Python, Rust); `utf-16` suits JavaScript and Java.'),
    stride: z
      .int()
      .min(0)
      .max(524_288)
      .optional()
      .describe(
        'Tokens that windows share at least, of a text longer than the model takes. At most half a window; default a quarter.',
      ),
    format: z
      .enum(['spans', 'bio'])
      .optional()
      .describe(
        '`bio` gives words as `{start_index, end_index, entity}` with `B-` and `I-` labels; each word is labelled as ' +
          '`aggregation_strategy` says, or by its first token. Default `spans`.',
      ),
    ignore_labels: z.array(z.string().max(128)).max(64).optional().describe('Labels to leave out. Default `["O"]`.'),
  }),
  output: z.array(
    z.union([
      z.strictObject({ entity_group: z.string(), ...position }),
      z.strictObject({ entity: z.string(), index: z.int(), ...position }),
      z.strictObject({ start_index: z.int().min(0), end_index: z.int().min(0), entity: z.string() }),
    ]),
  ),
  // Some 60,000 tokens, or 170 windows of 512: half a minute of one core with a model of BERT's size.
  limits: { itemBytesMax: 262_144 },
  example: {
    input: 'Ada Lovelace lived in London.',
    parameters: { aggregation_strategy: 'simple' },
    output: [
      { entity_group: 'PER', score: 0.998, word: 'Ada Lovelace', start: 0, end: 12 },
      { entity_group: 'LOC', score: 0.999, word: 'London', start: 22, end: 28 },
    ],
  },
};

export default contract;
