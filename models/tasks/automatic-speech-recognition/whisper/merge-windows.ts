/**
 * Tokens of the windows of one recording to its segments: timestamps become seconds of the whole, text that two
 * overlapping windows heard is joined by its longest common sequence, and with times of tokens these must agree. As
 * transformers' `_decode_asr`, save that windows which were cut in a pause, and do not overlap, are not searched for anything
 * in common. Pure.
 */
import { joinOverlapping } from './longest-common.ts';
import type { SpecialTokens } from './special-tokens.ts';

/** What was written for one window, without prompt, language and task. All times in seconds. */
export interface WindowTokens {
  readonly ids: readonly number[];
  /** Of each id, from the start of the window; absent where nobody asked for words. */
  readonly times?: readonly TokenTime[];
  readonly language: string | null;
  /** Where the window begins in the recording, and how long it is. */
  readonly start: number;
  readonly seconds: number;
  /** What it shares with its neighbours; 0 at a cut. */
  readonly overlapLeft: number;
  readonly overlapRight: number;
}

export interface TokenTime {
  readonly start: number;
  readonly end: number;
  readonly probability: number;
}

export interface TokenSegment {
  /** Null where the model gave no time. */
  readonly start: number | null;
  readonly end: number | null;
  /** Text only. */
  readonly ids: readonly number[];
  /** Of each id, in seconds of the recording; absent where its windows had none. */
  readonly times?: readonly TokenTime[];
  /** Indices of the windows that began and ended it. */
  readonly firstWindow: number;
  readonly window: number;
}

export interface MergeOptions {
  readonly tokens: SpecialTokens;
  /** 0.02: 30 s over 1,500 positions of the encoder. */
  readonly secondsPerTimestamp: number;
  readonly hasTimestamps: boolean;
}

export function mergeWindows(windows: readonly WindowTokens[], options: MergeOptions): TokenSegment[] {
  const merger = new WindowMerger(options);
  for (const [index, window] of windows.entries()) merger.add(window, index);
  return merger.finish();
}

interface HeardToken {
  readonly id: number;
  readonly time: TokenTime | null;
}

/** A segment in the making: `#pending` has what earlier windows wrote of it, `#current` what this one does. */
class WindowMerger {
  readonly #options: MergeOptions;
  readonly #segments: TokenSegment[] = [];
  #start: number | null = null;
  #pending: (readonly HeardToken[])[] = [];
  #current: HeardToken[] = [];
  #skipsNext = false;
  #language: string | null = null;
  #window = 0;
  /** Where the segment's text began. */
  #firstWindow: number | null = null;

  constructor(options: MergeOptions) {
    this.#options = options;
  }

  add(window: WindowTokens, index: number): void {
    const { end, firstTimestamp } = this.#options.tokens;
    this.#window = index;
    if (!this.#options.hasTimestamps && this.#language !== null && window.language !== this.#language)
      this.#close(null);
    this.#language = window.language;
    const strides = this.#strides(window);
    for (const [at, id] of window.ids.entries()) {
      if (id >= firstTimestamp) this.#meetTimestamp(id, window, strides);
      else if (id < end) this.#hear(id, window.times?.[at], window.start);
    }
    this.#leaveWindow(window);
  }

  finish(): TokenSegment[] {
    if (this.#pending.length > 0) this.#close(null);
    return this.#segments;
  }

  /** Timestamps below `first` or from `last` on lie in what a neighbour hears as well. */
  #strides({ ids, overlapLeft, overlapRight, seconds }: WindowTokens): { first: number; last: number | null } {
    const { tokens, secondsPerTimestamp } = this.#options;
    const first = tokens.firstTimestamp + overlapLeft / secondsPerTimestamp;
    if (overlapRight === 0) return { first, last: null };
    let last: number | null = null;
    for (const id of ids.toReversed()) {
      if (id < tokens.firstTimestamp) continue;
      // The very last one is set aside in any case.
      const at = (id - tokens.firstTimestamp) * secondsPerTimestamp;
      if (last !== null && at < seconds - overlapRight) break;
      last = id;
    }
    return { first, last };
  }

  #meetTimestamp(id: number, window: WindowTokens, { first, last }: { first: number; last: number | null }): void {
    const { tokens, secondsPerTimestamp } = this.#options;
    const time = roundTime((id - tokens.firstTimestamp) * secondsPerTimestamp + window.start);
    if (last !== null && id >= last) {
      // They come in pairs: the next one would open a segment that the next window closes.
      this.#skipsNext = true;
    } else if (this.#skipsNext || (this.#pending.length > 0 && id < first)) {
      this.#skipsNext = false;
    } else if (this.#start === null) {
      this.#start = time;
    } else if (time !== this.#start) {
      this.#pending.push(this.#current);
      this.#close(time);
    }
  }

  #hear(id: number, time: TokenTime | undefined, offset: number): void {
    this.#firstWindow ??= this.#window;
    const within = (seconds: number) => roundTime(seconds + offset);
    this.#current.push({ id, time: time ? { ...time, start: within(time.start), end: within(time.end) } : null });
  }

  #leaveWindow(window: WindowTokens): void {
    if (this.#current.length > 0) this.#pending.push(this.#current);
    else if (this.#pending.every((ids) => ids.length === 0)) this.#reset();
    this.#current = [];
    if (window.overlapRight > 0) return;
    if (this.#pending.length > 0) this.#close(null);
    this.#skipsNext = false;
  }

  #close(end: number | null): void {
    const [window, heard] = [this.#window, joinOverlapping(this.#pending, agree)];
    const times = heard.flatMap(({ time }) => time ?? []);
    this.#segments.push({
      start: this.#start,
      end,
      ids: heard.map(({ id }) => id),
      ...(times.length > 0 && times.length === heard.length && { times }),
      firstWindow: this.#firstWindow ?? window,
      window,
    });
    this.#reset();
  }

  #reset(): void {
    this.#start = null;
    this.#firstWindow = null;
    this.#pending = [];
    this.#current = [];
  }
}

/** The same token, and what the earlier window heard of it is not later than what the later one did. */
function agree(left: HeardToken, right: HeardToken): boolean {
  if (left.id !== right.id) return false;
  if (!left.time || !right.time || left.time.start < right.time.start) return true;
  return left.time.start === right.time.start && left.time.end <= right.time.end;
}

/** Hundredths, as the reference rounds. */
function roundTime(seconds: number): number {
  return Math.round(seconds * 100) / 100;
}
