/**
 * Carries alignment through a tokeniser's normaliser. The text that comes out is always the library's own; only where
 * its units came from is worked out here, so ids can not drift from those of a plain encoding.
 *
 * Kinds that insert, strip or replace are followed by their own rule. All others map character by character, or
 * nearly (composition, final sigma): the text is cut into clusters that normalise to the same as the whole, and where
 * no such cut exists, halved until one does.
 */
import { type AlignedText, AlignedTextBuilder, codePointWidth, replaceAligned, sliceAligned } from './aligned-text.ts';

/** What this needs of a normaliser of @huggingface/tokenizers. */
export interface NormalizerLike {
  readonly config?: Readonly<Record<string, unknown>>;
  readonly normalizers?: readonly (NormalizerLike | null)[];
  readonly pattern?: RegExp | null;
  normalize(text: string): string;
}

type MapText = (text: string) => string;

export function normalizeAligned(normalizer: NormalizerLike | null, aligned: AlignedText): AlignedText {
  if (normalizer === null) return aligned;
  if (normalizer.normalizers) {
    return normalizer.normalizers.reduce((text, inner) => normalizeAligned(inner, text), aligned);
  }
  const out = normalizer.normalize(aligned.text);
  if (out === aligned.text) return aligned;
  const followed = followKnown(normalizer, aligned);
  return followed?.text === out ? followed : mapAligned(cachedMap(normalizer), aligned);
}

/** Normalising one character costs about as much as a word (regular expressions): 4,096 clusters are remembered. */
const clusterCaches = new WeakMap<NormalizerLike, Map<string, string>>();

function cachedMap(normalizer: NormalizerLike): MapText {
  const cache = clusterCaches.get(normalizer) ?? new Map<string, string>();
  clusterCaches.set(normalizer, cache);
  return (text) => {
    if (text.length > 4) return normalizer.normalize(text);
    const known = cache.get(text);
    if (known !== undefined) return known;
    const out = normalizer.normalize(text);
    if (cache.size < 4096) cache.set(text, out);
    return out;
  };
}

function followKnown(normalizer: NormalizerLike, aligned: AlignedText): AlignedText | null {
  const config = normalizer.config ?? {};
  switch (config['type']) {
    case 'Strip':
      return stripAligned(aligned, config['strip_left'] === true, config['strip_right'] === true);
    case 'Prepend':
      return prependAligned(aligned, String(config['prepend'] ?? ''));
    case 'Replace':
      return normalizer.pattern ? replaceAligned(aligned, normalizer.pattern, String(config['content'] ?? '')) : null;
    default:
      return null;
  }
}

export function stripAligned(aligned: AlignedText, left: boolean, right: boolean): AlignedText {
  const { text } = aligned;
  const from = left ? text.length - text.trimStart().length : 0;
  const to = right ? text.trimEnd().length : text.length;
  return sliceAligned(aligned, Math.min(from, to), to);
}

export function prependAligned(aligned: AlignedText, prefix: string): AlignedText {
  const builder = new AlignedTextBuilder(aligned);
  builder.replace(0, 0, prefix);
  builder.keep(0, aligned.text.length);
  return builder.finish();
}

/** Aligns the result of any text function that works (almost) character by character. */
export function mapAligned(map: MapText, aligned: AlignedText): AlignedText {
  const out = map(aligned.text);
  // Printable ASCII of equal length maps one to one: most English text ends here.
  if (out.length === aligned.text.length && /^[ -~]*$/.test(aligned.text)) return { ...aligned, text: out };
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

/** No cut exists: one to one when the code points are as many (final sigma), else all stand for the whole block. */
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
