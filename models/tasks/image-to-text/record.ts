/** How written texts are remembered and learned from: the text itself. Decoders give no score that means anything. */
import { z } from 'zod';
import type { TaskRecord } from '../../task.ts';
import contract from './contract.ts';

const record: TaskRecord = {
  task: contract.task,
  lengthUnit: 'pixels',
  summarize(output, { sizeMax }) {
    const { generated_text: text } = output as { generated_text: string };
    // Twenty characters to an entry of other tasks' lists, as for transcripts.
    const charactersMax = sizeMax * 20;
    const isCut = text.length > charactersMax;
    return {
      label: null,
      score: null,
      summary: { generated_text: text.slice(0, charactersMax), ...(isCut && { cut: true }) },
    };
  },
  // What the text becomes in another format is never a correction's business.
  correction: z.object({ generated_text: z.string().max(200_000) }),
  toExample: ({ reference, summary }) => ({ image: reference, text: summary['generated_text'] }),
};

export default record;
