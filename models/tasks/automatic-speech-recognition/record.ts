/** How transcripts are remembered and learned from: the text itself. CTC models give no score that means anything. */
import { z } from 'zod';
import type { TaskRecord } from '../../task.ts';
import contract from './contract.ts';

const record: TaskRecord = {
  task: contract.task,
  lengthUnit: 'seconds',
  summarize(output, { sizeMax }) {
    const { text } = output as { text: string };
    // Twenty characters to an entry of other tasks' lists: 2,000 are two minutes of speech.
    const charactersMax = sizeMax * 20;
    const isCut = text.length > charactersMax;
    return {
      label: null,
      score: null,
      summary: { text: text.slice(0, charactersMax), ...(isCut && { cut: true }) },
    };
  },
  correction: z.object({ text: z.string().max(200_000) }),
  toExample: ({ reference, summary }) => ({ audio: reference, text: summary['text'] }),
};

export default record;
