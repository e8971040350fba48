/** A transcription in the shape that its caller asked for: the task's output. Pure. */
import { toSrt, toVtt } from './subtitles.ts';
import type { Granularity, OutputWish, Segment, TimedText, TimedWord, Transcription } from './transcription.ts';

export function writeOutput(heard: Transcription, { format, granularity }: OutputWish): Record<string, unknown> {
  const output = { text: heard.text, ...(granularity && { chunks: timedOf(heard, granularity).map(toChunk) }) };
  if (format === 'srt') return { ...output, srt: toSrt(heard.segments) };
  if (format === 'vtt') return { ...output, vtt: toVtt(heard.segments) };
  if (format !== 'verbose_json') return output;
  return {
    task: heard.task,
    language: heard.language,
    duration: toMilliseconds(heard.duration),
    text: heard.text,
    segments: heard.segments.map(toVerboseSegment),
    ...(granularity === 'word' && { words: (heard.words ?? []).map(toWord) }),
  };
}

function timedOf(heard: Transcription, granularity: Granularity): readonly TimedText[] {
  if (granularity === 'segment') return heard.segments;
  return (granularity === 'word' ? heard.words : heard.characters) ?? [];
}

function toChunk({ text, start, end }: TimedText) {
  return { text, timestamp: [toMilliseconds(start), toMilliseconds(end)] };
}

function toWord({ text, start, end, probability }: TimedWord) {
  const times = { word: text.trim(), start: toMilliseconds(start), end: toMilliseconds(end) };
  return probability === undefined ? times : { ...times, probability };
}

function toVerboseSegment(segment: Segment, id: number) {
  return {
    id,
    seek: Math.round(segment.windowStart * 100),
    start: toMilliseconds(segment.start),
    end: toMilliseconds(segment.end),
    text: segment.text,
    tokens: segment.tokens,
    temperature: segment.temperature,
    avg_logprob: segment.avgLogProb,
    compression_ratio: segment.compressionRatio,
    no_speech_prob: segment.noSpeechProb,
  };
}

/** Frames are 20 ms: more digits would say nothing. */
function toMilliseconds(seconds: number): number {
  return Math.round(seconds * 1000) / 1000;
}
