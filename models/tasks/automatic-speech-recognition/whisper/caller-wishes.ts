/**
 * A caller's parameters to Whisper's decoding wishes, checked against what this model can do. The contract has checked
 * types and ranges; what only the model's files can tell is a Problem here, which names the parameter.
 */
import { Problem } from '../../../../shared/problems/problem.ts';
import { type OutputWish, wantsTimes } from '../output/transcription.ts';
import type { DecodingWish } from './decoding-plan.ts';
import { languageCode } from './languages.ts';
import type { WhisperFiles } from './whisper-files.ts';

/** openai/whisper's, for silence and for falling back to the next temperature. */
const usualThresholds = { compressionRatioMax: 2.4, logProbMin: -1, noSpeechProbMax: 0.6 };

/** @param encode the tokeniser, asked only when there is a prompt. */
export async function readDecodingWish(
  parameters: Readonly<Record<string, unknown>>,
  output: OutputWish,
  files: WhisperFiles,
  encode: (text: string) => Promise<Int32Array>,
): Promise<DecodingWish> {
  checkGranularity(output, files);
  const number = (key: string, usual: number) => Number(parameters[key] ?? usual);
  const temperature = (parameters['temperature'] ?? 0) as number | readonly number[];
  return {
    previousIds: await previousIds(String(parameters['prompt'] ?? ''), files, encode),
    language: readLanguage(parameters['language'] as string | undefined, files),
    task: readTask(parameters['task'] as DecodingWish['task'] | undefined, files),
    hasTimestamps: wantsTimes(output),
    hasWords: output.granularity === 'word',
    tokensMax: (parameters['max_new_tokens'] as number | undefined) ?? null,
    beams: number('num_beams', 1),
    temperatures: typeof temperature === 'number' ? [temperature] : temperature,
    seed: number('seed', 0),
    compressionRatioMax: number('compression_ratio_threshold', usualThresholds.compressionRatioMax),
    logProbMin: number('logprob_threshold', usualThresholds.logProbMin),
    noSpeechProbMax: number('no_speech_threshold', usualThresholds.noSpeechProbMax),
  };
}

function checkGranularity({ granularity }: OutputWish, { alignment }: WhisperFiles): void {
  if (granularity === 'char')
    throw refusal('return_timestamps', 'Whisper gives no times of characters. Ask for `segment`, or use a CTC model.');
  if (granularity !== 'word' || !('fault' in alignment)) return;
  const detail = `This model gives times of segments, not of words: ${alignment.fault}. Or ask for \`segment\`, or use a CTC model.`;
  throw refusal('return_timestamps', detail);
}

function readLanguage(wish: string | undefined, { tokens, usualLanguage }: WhisperFiles): string | null {
  const said = wish ?? usualLanguage;
  if (said === null) return null;
  const code = languageCode(said);
  const known = tokens.multilingual?.languages;
  if (!known) {
    if (code === 'en') return code;
    throw refusal('language', `This model hears English only, not "${said}". Leave \`language\` out.`);
  }
  if (known.has(code)) return code;
  throw refusal(
    'language',
    `This model does not know the language "${said}". It knows ${[...known.keys()].join(', ')}.`,
  );
}

function readTask(wish: DecodingWish['task'] | undefined, { tokens, usualTask }: WhisperFiles): DecodingWish['task'] {
  if (wish === 'translate' && !tokens.multilingual)
    throw refusal('task', 'This model hears English only and does not translate. Leave `task` out.');
  return wish ?? usualTask;
}

/** The mark and the last tokens of the prompt: half of the decoder's positions at most, as openai/whisper. */
async function previousIds(
  prompt: string,
  { tokens, positionsMax }: WhisperFiles,
  encode: (text: string) => Promise<Int32Array>,
): Promise<number[]> {
  const text = prompt.trim();
  if (text === '') return [];
  // Special tokens that the text spells out, and those that the tokeniser adds, are no text.
  const ids = [...(await encode(` ${text}`))].filter((id) => id < tokens.end);
  return [tokens.startOfPrevious, ...ids.slice(-(Math.floor(positionsMax / 2) - 1))];
}

function refusal(parameter: string, detail: string): Problem {
  return new Problem('validation-failed', detail, { errors: [{ pointer: `/parameters/${parameter}`, detail }] });
}
