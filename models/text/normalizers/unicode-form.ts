/**
 * NFC, NFD, NFKC, NFKD: the text that comes out is JavaScript's own; only where its units came from is worked out here. The
 * text is cut into clusters that normalise to the same as the whole, and where no such cut exists, halved until one does.
 */
import { type AlignedText, AlignedTextBuilder, codePointWidth } from '../aligned-text.ts';
import { unformed } from '../rust-classes.ts';
import type { Rewrite } from './rewrite.ts';

type MapText = (text: string) => string;

export function unicodeForm(form: 'NFC' | 'NFD' | 'NFKC' | 'NFKD'): Rewrite {
  const toForm = (text: string) => text.normalize(form);
  const map = (text: string) => (hasNewer.test(text) ? text.replace(known, toForm) : toForm(text));
  return {
    apply: map,
    follow(aligned) {
      const out = map(aligned.text);
      return out === aligned.text ? aligned : mapAligned(map, aligned, out);
    },
  };
}

const hasNewer = new RegExp(unformed, 'v');
const known = new RegExp(`[^${unformed}]+`, 'gv');

function mapAligned(map: MapText, aligned: AlignedText, out: string): AlignedText {
  const builder = new AlignedTextBuilder(aligned);
  mapRange(map, aligned.text, 0, out, builder);
  return builder.finish();
}

/** Hangul syllables spelled in jamo, else a character with the marks on it. */
const clusterPattern = /[\u1100-\u115f]+[\u1160-\u11a7]*[\u11a8-\u11ff]*|\P{M}\p{M}*|\p{M}+/gu;

function mapRange(map: MapText, text: string, offset: number, out: string, builder: AlignedTextBuilder): void {
  const clusters = text.match(clusterPattern) ?? [];
  const mapped = clusters.map(map);
  if (mapped.join('') === out) {
    let at = offset;
    for (const [index, cluster] of clusters.entries()) {
      mapCluster(map, cluster, at, mapped[index] ?? '', builder);
      at += cluster.length;
    }
    return;
  }
  const cut = findCut(map, clusters, text, out);
  if (cut === null) {
    mapBlock(text, offset, out, builder);
    return;
  }
  mapRange(map, text.slice(0, cut.at), offset, cut.left, builder);
  mapRange(map, text.slice(cut.at), offset + cut.at, cut.right, builder);
}

/** A place near the middle where both sides map on their own to the same as together. */
function findCut(map: MapText, clusters: readonly string[], text: string, out: string) {
  const borders: number[] = [];
  let at = 0;
  for (const cluster of clusters.slice(0, -1)) {
    at += cluster.length;
    borders.push(at);
  }
  const middle = text.length / 2;
  borders.sort((a, b) => Math.abs(a - middle) - Math.abs(b - middle));
  // 16 tries: a word of that many letters that depend on each other is unheard of, and the work stays n log n.
  for (const border of borders.slice(0, 16)) {
    const left = map(text.slice(0, border));
    if (!out.startsWith(left)) continue;
    const right = map(text.slice(border));
    if (left.length + right.length === out.length && out.endsWith(right)) return { at: border, left, right };
  }
  return null;
}

/** Within a cluster, by code point where that gives the same. */
function mapCluster(map: MapText, cluster: string, at: number, out: string, builder: AlignedTextBuilder): void {
  const points = [...cluster];
  const mapped = points.length > 1 ? points.map(map) : [out];
  if (cluster === out || mapped.join('') !== out) {
    if (cluster === out) builder.keep(at, at + cluster.length);
    else builder.replace(at, at + cluster.length, out);
    return;
  }
  let from = at;
  for (const [index, point] of points.entries()) {
    builder.replace(from, from + point.length, mapped[index] ?? '');
    from += point.length;
  }
}

/** No cut exists: one to one when the code points are as many (marks that changed places), else all stand for the whole block. */
function mapBlock(text: string, offset: number, out: string, builder: AlignedTextBuilder): void {
  if ([...text].length !== [...out].length) {
    builder.replace(offset, offset + text.length, out);
    return;
  }
  let from = 0;
  for (let at = 0; at < out.length; ) {
    const width = codePointWidth(out, at);
    const fromWidth = codePointWidth(text, from);
    builder.replace(offset + from, offset + from + fromWidth, out.slice(at, at + width));
    at += width;
    from += fromWidth;
  }
}
