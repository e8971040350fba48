/**
 * Places in Florence-2's answers (`car<loc_52><loc_334><loc_932><loc_774>`) as regions in pixels of the picture, as
 * transformers' Florence2PostProcessor reads them; labels keep letters other than ASCII, which it drops. One pass over the
 * text, since its patterns take a quadratic time over a long text without places. Pure.
 */
import type { Region } from '../contract.ts';
import type { RegionKind } from './tasks.ts';

/** Of the picture as it was decoded, upright. */
export interface PictureSize {
  readonly width: number;
  readonly height: number;
}

/** A text, maybe empty, and the marks that follow it. */
interface Group {
  readonly label: string;
  readonly marks: string[];
}

/** Of either axis. */
const bins = 1000;
const marksMin = 4;
const [boxNumbers, quadNumbers] = [4, 8];
const piece = /(<loc_\d+>|<sep>|<\/?poly>)|[^<]+|</g;

export function readRegions(text: string, kind: RegionKind, size: PictureSize): Region[] {
  const groups = groupMarks(text).filter(({ marks }) => marks.length >= marksMin);
  const labelled = groups.filter(({ label }) => label !== '');
  switch (kind) {
    case 'quads':
      return labelled.flatMap(({ label, marks }) =>
        cut(toPixels(marks, size), quadNumbers).map((quad) => ({ label, quad: quad as [...Box, ...Box] })),
      );
    case 'boxes':
      return labelled.flatMap((group) => toBoxes(group, size));
    case 'bare-boxes':
      return groups.flatMap(({ marks }) => toBoxes({ label: '', marks }, size));
    case 'polygons':
      return groups.flatMap(({ marks }) => toOutlines({ label: '', marks }, size));
    case 'boxes-or-polygons':
      return labelled.flatMap((group) => (text.includes('<poly>') ? toOutlines(group, size) : toBoxes(group, size)));
  }
}

function groupMarks(text: string): Group[] {
  const groups: Group[] = [];
  let label = '';
  let marks: string[] | null = null;
  for (const [whole, mark] of text.matchAll(piece)) {
    if (mark === undefined) {
      label = marks ? whole : label + whole;
      marks = null;
    } else if (marks) marks.push(mark);
    else {
      marks = [mark];
      groups.push({ label: label.trim(), marks });
    }
  }
  return groups;
}

type Box = [number, number, number, number];

/** One for every four places; what is left over is none. */
function toBoxes({ label, marks }: Group, size: PictureSize): Region[] {
  return cut(toPixels(marks, size), boxNumbers).map((box) => ({ label, box: box as Box }));
}

/** `<poly>` and `</poly>` stand around each of several outlines; `<sep>` between the parts of one. */
function toOutlines({ label, marks }: Group, size: PictureSize): Region[] {
  const outlines: string[][][] = [[[]]];
  for (const mark of marks) {
    if (mark === '<poly>' || mark === '</poly>') outlines.push([[]]);
    else if (mark === '<sep>') outlines.at(-1)?.push([]);
    else outlines.at(-1)?.at(-1)?.push(mark);
  }
  return outlines.flatMap((parts) => {
    const polygons = parts.map((part) => cut(toPixels(part, size), 2).flat()).filter(({ length }) => length > 0);
    return polygons.length > 0 ? [{ label, polygons }] : [];
  });
}

/** Bins to the middle of their pixels, x and y by turns. */
function toPixels(marks: readonly string[], { width, height }: PictureSize): number[] {
  return marks.map((mark, at) => {
    const bin = Number(mark.slice('<loc_'.length, -1));
    return Math.trunc((bin + 0.5) * ((at % 2 === 0 ? width : height) / bins));
  });
}

/** Whole runs of so many numbers. */
function cut(numbers: readonly number[], length: number): number[][] {
  const count = Math.floor(numbers.length / length);
  return Array.from({ length: count }, (_, at) => numbers.slice(at * length, (at + 1) * length));
}
