/**
 * Turns UTF-16 positions into code point positions. Pure.
 */

/** A function from UTF-16 position to code points before it; free for texts without astral characters. */
export function toCodePoints(text: string): (position: number) => number {
  if (!/[\ud800-\udbff]/.test(text)) return (position) => position;
  const before = new Int32Array(text.length + 1);
  let points = 0;
  for (let at = 0; at < text.length; ) {
    const width = (text.codePointAt(at) ?? 0) > 0xffff ? 2 : 1;
    before[at] = points;
    if (width === 2) before[at + 1] = points;
    points += 1;
    at += width;
  }
  before[text.length] = points;
  return (position) => before[position] ?? points;
}
