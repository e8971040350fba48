/** GPT-2's alphabet of byte-level BPE: printable bytes are themselves, the others the characters from U+0100 on, in order. */
const bytes = new Map<string, number>();
for (let byte = 0, next = 0x100; byte < 256; byte++) {
  const isPrintable = (byte >= 0x21 && byte <= 0x7e) || (byte >= 0xa1 && byte <= 0xac) || byte >= 0xae;
  bytes.set(String.fromCodePoint(isPrintable ? byte : next++), byte);
}

export const byteOfCharacter: ReadonlyMap<string, number> = bytes;
