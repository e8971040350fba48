/** Cuts a text at what matches, and says what becomes of the matches: the five ways of Hugging Face's tokenisers. Pure. */

/** Units `from..to` of a text. */
export type Range = readonly [from: number, to: number];

export type SplitWay = 'Removed' | 'Isolated' | 'Contiguous' | 'MergedWithPrevious' | 'MergedWithNext';

/** What matches, and nothing else. @param pattern global. */
export function matchesIn(text: string, pattern: RegExp): Range[] {
  const found: Range[] = [];
  pattern.lastIndex = 0;
  for (let match = pattern.exec(text); match; match = pattern.exec(text)) {
    if (match[0] === '') pattern.lastIndex++;
    else found.push([match.index, pattern.lastIndex]);
  }
  return found;
}

/**
 * @param pattern global.
 * @param isInverted what does not match is then what the way is about.
 */
export function splitText(text: string, pattern: RegExp, way: SplitWay, isInverted = false): Range[] {
  const matches = matchesIn(text, pattern);
  if (way === 'Removed' && isInverted) return matches;
  const parts: Range[] = [];
  let at = 0;
  /** Of the part before. */
  let before: boolean | null = null;
  const push = (to: number, isMatch: boolean) => {
    const isDelimiter = isMatch !== isInverted;
    const last = parts.at(-1);
    if (at < to && !(way === 'Removed' && isDelimiter)) {
      if (last && before !== null && joins(before, isDelimiter, way)) parts[parts.length - 1] = [last[0], to];
      else parts.push([at, to]);
    }
    if (at < to) before = isDelimiter;
    at = to;
  };
  for (const [from, to] of matches) {
    push(from, false);
    push(to, true);
  }
  push(text.length, false);
  return parts;
}

/** Of two neighbours. A delimiter goes with a neighbour that is none, never with another delimiter. */
function joins(before: boolean, after: boolean, way: SplitWay): boolean {
  if (way === 'Contiguous') return before === after;
  if (way === 'MergedWithPrevious') return after && !before;
  return way === 'MergedWithNext' && before && !after;
}
