/**
 * sentencepiece's compiled table of replacements (`precompiled_charsmap`): a double-array trie (Darts) over UTF-8 bytes,
 * whose values are places in a block of texts that end with NUL. Read as the Rust crate spm_precompiled 0.1.4 does.
 */

/** What a text becomes by the shortest of its beginnings that the table has; null where it has none. */
export type Charsmap = (text: string) => string | null;

/** @throws where the bytes are no table. */
export function readCharsmap(bytes: Buffer): Charsmap {
  const trieBytes = bytes.length >= 4 ? bytes.readUInt32LE(0) : 0;
  if (trieBytes === 0 || trieBytes % 4 !== 0 || 4 + trieBytes > bytes.length) {
    throw new Error(`precompiled_charsmap of tokenizer.json is no table of sentencepiece's (${bytes.length} bytes).`);
  }
  const units = new Uint32Array(trieBytes / 4);
  for (const at of units.keys()) units[at] = bytes.readUInt32LE(4 + at * 4);
  const texts = bytes.subarray(4 + trieBytes);
  /** As many as the table has replacements. */
  const known = new Map<number, string>();
  return (text) => {
    const place = findShortest(units, text);
    if (place === null) return null;
    const decoded = known.get(place) ?? readText(texts, place);
    known.set(place, decoded);
    return decoded;
  };
}

/** Bit 8 of a unit says that a value hangs on it, bits 10 and up (eight times as far with bit 9) where its children are. */
function findShortest(units: Uint32Array, text: string): number | null {
  const childrenOf = (unit: number) => (unit >>> 10) << ((unit & 0x200) >>> 6);
  let node = childrenOf(units[0] ?? 0);
  for (const byte of utf8Of(text)) {
    if (byte === 0) return null;
    node ^= byte;
    const unit = units[node] ?? 0;
    // A label is a byte; a unit that holds a value has its highest bit set, and is no label.
    if ((unit & 0x800000ff) >>> 0 !== byte) return null;
    node ^= childrenOf(unit);
    if ((unit & 0x100) !== 0) return (units[node] ?? 0) & 0x7fffffff;
  }
  return null;
}

/** Most walks end at the first byte: no buffer is made for a character. */
function* utf8Of(text: string): Generator<number> {
  for (const character of text) {
    const point = character.codePointAt(0) ?? 0;
    if (point < 0x80) {
      yield point;
      continue;
    }
    const rest = point < 0x800 ? 1 : point < 0x10000 ? 2 : 3;
    yield ([0xc0, 0xe0, 0xf0][rest - 1] ?? 0) | (point >>> (6 * rest));
    for (let at = rest - 1; at >= 0; at--) yield 0x80 | ((point >>> (6 * at)) & 0x3f);
  }
}

function readText(texts: Buffer, place: number): string {
  const end = texts.indexOf(0, place);
  return texts.toString('utf8', place, end < 0 ? texts.length : end);
}
