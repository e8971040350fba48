/**
 * What callers send to and get from speech recognition. By default the shapes are those of Hugging Face's pipeline:
 * `text`, and `chunks` with times in seconds when `return_timestamps` asks for them; `response_format` takes OpenAI's
 * words and fills what its /v1/audio/transcriptions answers.
 */
import { z } from 'zod';
import type { TaskContract } from '../../task.ts';
import { audioSecondsMax, responseFormats } from './output/transcription.ts';

const seconds = z.number().min(0);
const chunk = z.strictObject({ text: z.string(), timestamp: z.tuple([seconds, seconds]) });
const word = z.strictObject({
  word: z.string(),
  start: seconds,
  end: seconds,
  probability: z.number().optional().describe('Mean of its tokens; absent for CTC models.'),
});
/** Null where the model gives no such figure: CTC models have neither temperature nor silence. */
const segment = z.strictObject({
  id: z.int().min(0),
  seek: z.int().min(0).describe('Where its window begins, in frames of 10 ms.'),
  start: seconds,
  end: seconds,
  text: z.string(),
  tokens: z.array(z.int()).describe('Ids of its text, without timestamps.'),
  temperature: z.number().nullable(),
  avg_logprob: z.number().nullable().describe('Mean log-probability of the tokens of its window.'),
  compression_ratio: z.number().nullable().describe('Of the text of its window; above 2.4 it repeats itself.'),
  no_speech_prob: z.number().nullable(),
});

/** zod keeps what `describe` says for the docs; limits are those of the models' own decoders. */
const parameters = z.strictObject({
  response_format: z
    .enum(responseFormats)
    .optional()
    .describe(
      '`json` (default) and `text`: `text`. `verbose_json`: segments, language and duration as OpenAI has them. `srt`, `vtt`: subtitles in a field of that name.',
    ),
  return_timestamps: z
    .union([z.boolean(), z.enum(['segment', 'word', 'char'])])
    .optional()
    .describe(
      'Adds `chunks` with start and end in seconds: of segments (`true` or `segment`), words or characters. With `verbose_json`, `word` adds `words`. Whisper gives words where its export has cross-attentions (`..._timestamped` on the Hub), and no characters.',
    ),
  language: z
    .string()
    .min(2)
    .max(40)
    .optional()
    .describe('Spoken language, by code or English name. Absent: Whisper detects it, for each window of 30 s.'),
  task: z
    .enum(['transcribe', 'translate'])
    .optional()
    .describe('`translate` writes English, whatever is spoken (multilingual Whisper). Default `transcribe`.'),
  prompt: z
    .string()
    .max(8000)
    .optional()
    .describe('Text that Whisper takes for what was said before: names, spelling, style. Its last 223 tokens count.'),
  temperature: z
    .union([z.number().min(0).max(1), z.array(z.number().min(0).max(1)).min(1).max(6)])
    .optional()
    .describe(
      'Default 0: the likeliest token. A list, such as `[0, 0.2, 0.4]`, goes on to the next where the text repeats itself or is unlikely.',
    ),
  seed: z
    .int()
    .min(0)
    .max(2 ** 31)
    .optional()
    .describe('Of sampling above temperature 0: the same seed, the same text.'),
  num_beams: z
    .int()
    .min(1)
    .max(8)
    .optional()
    .describe('Texts that Whisper follows side by side at temperature 0. Default 1; 5 takes five times the work.'),
  max_new_tokens: z.int().min(1).max(448).optional().describe('Tokens to write at most for each window of 30 s.'),
  compression_ratio_threshold: z.number().positive().optional().describe('For a list of temperatures. Default 2.4.'),
  logprob_threshold: z.number().max(0).optional().describe('For a list of temperatures, and silence. Default -1.'),
  no_speech_threshold: z
    .number()
    .min(0)
    .max(1)
    .optional()
    .describe('A window is silence when `no_speech_prob` is above this and the text unlikely. Default 0.6.'),
  chunk_length_s: z
    .number()
    .min(5)
    .max(30)
    .optional()
    .describe('Longest window of a long recording. Default: 30 for Whisper, 20 for CTC models.'),
  chunking: z
    .enum(['pauses', 'overlap'])
    .optional()
    .describe(
      'How Whisper’s windows are cut: in pauses where there are any (default), or always with a third of overlap, joined by what both heard.',
    ),
});

const contract: TaskContract = {
  task: 'automatic-speech-recognition',
  title: 'Automatic speech recognition',
  description: 'Writes down what is said in a recording, with times and as subtitles when asked.',
  media: 'audio',
  // Somebody waits for a transcript.
  defaultPriority: 'high',
  parameters,
  output: z.strictObject({
    text: z.string(),
    chunks: z.array(chunk).optional(),
    task: z.enum(['transcribe', 'translate']).optional(),
    language: z.string().nullable().optional().describe('English name, lower case; null where the model has no say.'),
    duration: seconds.optional(),
    segments: z.array(segment).optional(),
    words: z.array(word).optional(),
    srt: z.string().optional(),
    vtt: z.string().optional(),
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
