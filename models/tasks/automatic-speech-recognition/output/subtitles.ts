/** Timed texts as SubRip (.srt) and WebVTT (.vtt) files, as openai/whisper's writers put them. Pure. */
import type { TimedText } from './transcription.ts';

export function toSrt(cues: readonly TimedText[]): string {
  return speaking(cues)
    .map(({ text, start, end }, index) => `${index + 1}\n${clock(start, ',')} --> ${clock(end, ',')}\n${text}\n\n`)
    .join('');
}

export function toVtt(cues: readonly TimedText[]): string {
  const blocks = speaking(cues).map(
    ({ text, start, end }) => `${shortClock(start)} --> ${shortClock(end)}\n${escapeVtt(text)}\n\n`,
  );
  return `WEBVTT\n\n${blocks.join('')}`;
}

/** Cues with one line of text each: an empty line would end a cue, and an arrow is what tells times from text. */
function speaking(cues: readonly TimedText[]): TimedText[] {
  return cues
    .map((cue) => ({ ...cue, text: cue.text.trim().replace(/\s+/g, ' ').replaceAll('-->', '->') }))
    .filter(({ text }) => text !== '');
}

/** WebVTT reads tags and entities in a cue. */
function escapeVtt(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;');
}

/** 00:00:07.120, with the mark between seconds and milliseconds that the format wants. */
function clock(seconds: number, mark: ',' | '.'): string {
  const total = Math.round(seconds * 1000);
  const part = (divisor: number, modulus: number, digits = 2) =>
    String(Math.floor(total / divisor) % modulus).padStart(digits, '0');
  return `${part(3_600_000, 100)}:${part(60_000, 60)}:${part(1000, 60)}${mark}${part(1, 1000, 3)}`;
}

/** WebVTT may leave out hours that are none. */
function shortClock(seconds: number): string {
  return clock(seconds, '.').replace(/^00:/, '');
}
