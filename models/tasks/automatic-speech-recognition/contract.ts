/**
 * What callers send to and get from speech recognition. Shapes follow Hugging Face's pipeline: `text`, and `chunks`
 * with times in seconds when `return_timestamps` asks for them.
 */
import { z } from 'zod';
import type { TaskContract } from '../../task.ts';
import { audioSecondsMax } from './transcript.ts';

const contract: TaskContract = {
  task: 'automatic-speech-recognition',
  title: 'Automatic speech recognition',
  description: 'Writes down what is said in a recording.',
  media: 'audio',
  // Somebody waits for a transcript.
  defaultPriority: 'high',
  parameters: z.strictObject({
    return_timestamps: z
      .enum(['word', 'char'])
      .optional()
      .describe('Adds `chunks` with start and end in seconds for each word or character.'),
  }),
  output: z.strictObject({
    text: z.string(),
    chunks: z.array(z.strictObject({ text: z.string(), timestamp: z.tuple([z.number(), z.number()]) })).optional(),
  }),
  // An hour as a 64 kbit/s file is 29 MB.
  limits: { itemBytesMax: 100 * 1024 * 1024, audioSecondsMax },
  example: {
    input: { url: 'https://example.com/question.wav' },
    parameters: { return_timestamps: 'word' },
    output: {
      text: 'ONE TWO',
      chunks: [
        { text: 'ONE', timestamp: [0.42, 0.71] },
        { text: 'TWO', timestamp: [0.9, 1.22] },
      ],
    },
  },
};

export default contract;
