/** How image labels are remembered and learned from: the best labels with their scores; an example is one label. */
import { z } from 'zod';
import type { TaskRecord } from '../../task.ts';
import contract from './contract.ts';

interface Scored {
  readonly label: string;
  readonly score?: number;
}

/** The default of `top_k`. */
const labelsKept = 5;

const record: TaskRecord = {
  task: contract.task,
  lengthUnit: 'pixels',
  summarize(output) {
    const labels = output as readonly Scored[];
    return {
      label: labels[0]?.label ?? null,
      score: labels[0]?.score ?? null,
      summary: { labels: labels.slice(0, labelsKept) },
    };
  },
  correction: z
    .array(z.strictObject({ label: z.string().min(1).max(256), score: z.number().optional() }))
    .min(1)
    .max(1000),
  toExample: ({ reference, summary }) => ({
    image: reference,
    label: (summary['labels'] as Scored[])[0]?.label ?? null,
  }),
};

export default record;
