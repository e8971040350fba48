/**
 * Joins what was heard twice: token sequences of overlapping windows become one, as transformers'
 * `_find_longest_common_sequence`. Pure.
 */

/**
 * Slides each sequence over the end of the one before and takes the place where most tokens agree (of a share that
 * grows a little with length, and two at least). Within the overlap the left one is believed first, then the right one:
 * each is best where it has heard most. Sequences that agree nowhere are put side by side.
 */
export function joinOverlapping<Token>(
  sequences: readonly (readonly Token[])[],
  agree: (left: Token, right: Token) => boolean = (left, right) => left === right,
): Token[] {
  const [first = [], ...others] = sequences;
  const joined: Token[] = [];
  let left = first;
  for (const right of others) {
    const { leftMid, rightMid } = findOverlap(left, right, agree);
    joined.push(...left.slice(0, leftMid));
    left = right.slice(rightMid);
  }
  return [...joined, ...left];
}

function findOverlap<Token>(
  left: readonly Token[],
  right: readonly Token[],
  agree: (left: Token, right: Token) => boolean,
): { leftMid: number; rightMid: number } {
  let best = 0;
  let found = { leftMid: left.length, rightMid: 0 };
  for (let shift = 1; shift < left.length + right.length; shift++) {
    const leftStart = Math.max(0, left.length - shift);
    const leftStop = Math.min(left.length, left.length + right.length - shift);
    const rightStart = Math.max(0, shift - left.length);
    let matches = 0;
    for (let at = 0; at < leftStop - leftStart; at++)
      if (agree(left[leftStart + at] as Token, right[rightStart + at] as Token)) matches++;
    // The small addition favours long perfect matches.
    const matching = matches / shift + shift / 10_000;
    if (matches > 1 && matching > best) {
      best = matching;
      const rightStop = Math.min(right.length, shift);
      found = { leftMid: (leftStart + leftStop) >> 1, rightMid: (rightStart + rightStop) >> 1 };
    }
  }
  return found;
}
