/**
 * Cuts the tokens of a text that is longer than its model into windows that overlap, and says which window answers for
 * which token: the one in which the token has most text on its poorer side. Pure.
 */

/** `from..to` are the tokens that a window reads, `keepFrom..keepTo` those that it answers for. Ends are exclusive. */
export interface TokenWindow {
  readonly from: number;
  readonly to: number;
  readonly keepFrom: number;
  readonly keepTo: number;
}

export interface WindowPlan {
  /** Tokens of the text, without special ones. */
  readonly tokens: number;
  /** Tokens that a window holds, without special ones. */
  readonly room: number;
  /** Tokens that neighbours share at least; less than `room`. */
  readonly stride: number;
  /** True where a word begins. A word that straddles two windows is left to one of them where both have it whole. */
  startsWord(token: number): boolean;
}

/**
 * As few windows as will do, all of one length: a short last window would see the least context, and windows of one
 * length share calls without padding.
 */
export function planWindows({ tokens, room, stride, startsWord }: WindowPlan): TokenWindow[] {
  const count = tokens <= room ? 1 : Math.ceil((tokens - stride) / (room - stride));
  const length = count === 1 ? tokens : Math.ceil((tokens + (count - 1) * stride) / count);
  const starts = Array.from({ length: count }, (_, index) =>
    count === 1 ? 0 : Math.round((index * (tokens - length)) / (count - 1)),
  );
  const cuts = [
    0,
    ...starts.slice(1).map((start, index) => cutIn(start, (starts[index] ?? 0) + length, startsWord)),
    tokens,
  ];
  return starts.map((from, index) => ({
    from,
    to: from + length,
    keepFrom: cuts[index] ?? 0,
    keepTo: cuts[index + 1] ?? tokens,
  }));
}

/** The middle of the overlap `from..to`, or the beginning of a word that is nearest to it there. */
function cutIn(from: number, to: number, startsWord: (token: number) => boolean): number {
  const middle = Math.floor((from + to - 1) / 2) + 1;
  for (let away = 0; away <= to - from; away++) {
    if (middle - away >= from && startsWord(middle - away)) return middle - away;
    if (middle + away <= to && startsWord(middle + away)) return middle + away;
  }
  return middle;
}
