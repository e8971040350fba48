/** How vectors are remembered: their size and length, which show a model that broke. Nobody corrects a vector by hand. */
import { z } from 'zod';
import type { TaskRecord } from '../../task.ts';
import contract from './contract.ts';

const record: TaskRecord = {
  task: contract.task,
  lengthUnit: 'characters',
  summarize(output) {
    const vector = output as readonly number[];
    const norm = Math.sqrt(vector.reduce((sum, x) => sum + x * x, 0));
    return { label: null, score: null, summary: { dimensions: vector.length, norm: Math.round(norm * 1e4) / 1e4 } };
  },
  correction: z.array(z.number()).max(65_536),
  toExample: null,
};

export default record;
