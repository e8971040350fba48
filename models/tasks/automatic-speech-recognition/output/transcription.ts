/**
 * What a model of any family heard in one recording, before it takes the shape that a caller asked for. Words only.
 */

/** An hour at 16 kHz is 230 MB of float32 in a preparation thread; a manifest may tighten it. */
export const audioSecondsMax = 3600;

/** OpenAI's words. */
export const responseFormats = ['json', 'text', 'verbose_json', 'srt', 'vtt'] as const;
export type ResponseFormat = (typeof responseFormats)[number];

/** Whose times a caller wants. */
export type Granularity = 'segment' | 'word' | 'char';

/** A text and when it is said, in seconds of the recording. */
export interface TimedText {
  readonly text: string;
  readonly start: number;
  readonly end: number;
}

export interface TimedWord extends TimedText {
  /** Mean of its tokens; absent where the model has no say. */
  readonly probability?: number;
}

export interface Segment extends TimedText {
  /** Where its window begins, in seconds. */
  readonly windowStart: number;
  readonly tokens: readonly number[];
  readonly temperature: number | null;
  readonly avgLogProb: number | null;
  readonly compressionRatio: number | null;
  readonly noSpeechProb: number | null;
}

export interface Transcription {
  readonly text: string;
  readonly segments: readonly Segment[];
  /** Null where the model gives no such times. */
  readonly words: readonly TimedWord[] | null;
  readonly characters: readonly TimedText[] | null;
  readonly task: 'transcribe' | 'translate';
  /** English name, lower case. */
  readonly language: string | null;
  /** Seconds. */
  readonly duration: number;
}

/** What a caller asked for, of the contract's parameters. */
export interface OutputWish {
  readonly format: ResponseFormat;
  readonly granularity: Granularity | null;
}

/** @param parameters already checked against the contract. */
export function readOutputWish(parameters: Readonly<Record<string, unknown>>): OutputWish {
  const timestamps = parameters['return_timestamps'] as boolean | Granularity | undefined;
  return {
    format: (parameters['response_format'] as ResponseFormat | undefined) ?? 'json',
    granularity: timestamps === true ? 'segment' : timestamps || null,
  };
}

/** Whether the answer tells times of segments: then Whisper is asked to write timestamps. */
export function wantsTimes({ format, granularity }: OutputWish): boolean {
  return granularity !== null || format === 'verbose_json' || format === 'srt' || format === 'vtt';
}
