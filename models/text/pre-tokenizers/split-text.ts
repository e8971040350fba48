/** Cuts a text at what matches, and says what becomes of the matches: the five ways of Hugging Face's tokenisers. Pure. */

/** Units `from..to` of a text. */
export type Range = readonly [from: number, to: number];

export type SplitWay = 'Removed' | 'Isolated' | 'Contiguous' | 'MergedWithPrevious' | 'MergedWithNext';

interface Part {
  readonly from: number;
  readonly to: number;
  readonly isMatch: boolean;
}

/**
 * @param pattern global.
 * @param isInverted what does not match is then what the way is about.
 */
export function splitText(text: string, pattern: RegExp, way: SplitWay, isInverted = false): Range[] {
  const parts: Part[] = [];
  let at = 0;
  const push = (from: number, to: number, isMatch: boolean) => {
    if (from < to) parts.push({ from, to, isMatch: isMatch !== isInverted });
  };
  for (const { 0: match, index } of text.matchAll(pattern)) {
    push(at, index, false);
    at = index + match.length;
    push(index, at, true);
  }
  push(at, text.length, false);
  return joinParts(parts, way);
}

function joinParts(parts: readonly Part[], way: SplitWay): Range[] {
  if (way === 'Isolated') return parts.map(({ from, to }) => [from, to]);
  if (way === 'Removed') return parts.filter(({ isMatch }) => !isMatch).map(({ from, to }) => [from, to]);
  const joined: Range[] = [];
  for (const [index, { from, to, isMatch }] of parts.entries()) {
    const before = parts[index - 1];
    const last = joined.at(-1);
    if (last && before && joins(before.isMatch, isMatch, way)) joined[joined.length - 1] = [last[0], to];
    else joined.push([from, to]);
  }
  return joined;
}

/** Of two neighbours. A match goes with a neighbour that is none, never with another match. */
function joins(before: boolean, after: boolean, way: SplitWay): boolean {
  if (way === 'Contiguous') return before === after;
  return way === 'MergedWithPrevious' ? after && !before : before && !after;
}
