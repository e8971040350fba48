/** How vectors are remembered: their size and length, which show a model that broke. Nobody corrects a vector by hand. */
import { z } from 'zod';
import type { TaskRecord } from '../../task.ts';
import contract from './contract.ts';

type Vector = readonly number[] | string;
type Output = Vector | { readonly embedding: Vector; readonly tokens: number };

const record: TaskRecord = {
  task: contract.task,
  lengthUnit: 'characters',
  summarize(output) {
    const { vector, tokens } = read(output as Output);
    const norm = Math.sqrt(vector.reduce((sum, x) => sum + x * x, 0));
    const summary = { dimensions: vector.length, norm: Math.round(norm * 1e4) / 1e4 };
    return { label: null, score: null, summary: { ...summary, ...(tokens !== undefined && { tokens }) } };
  },
  correction: z.array(z.number()).max(65_536),
  toExample: null,
};

export default record;

function read(output: Output): { readonly vector: readonly number[]; readonly tokens?: number } {
  if (typeof output !== 'string')
    return 'embedding' in output ? { ...read(output.embedding), tokens: output.tokens } : { vector: output };
  const bytes = Buffer.from(output, 'base64');
  return { vector: Array.from({ length: bytes.length / 4 }, (_, at) => bytes.readFloatLE(at * 4)) };
}
