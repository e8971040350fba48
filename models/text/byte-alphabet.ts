/** GPT-2's alphabet of byte-level BPE: printable bytes are themselves, the others the characters from U+0100 on, in order. */
const characters: string[] = [];
for (let byte = 0, next = 0x100; byte < 256; byte++) {
  const isPrintable = (byte >= 0x21 && byte <= 0x7e) || (byte >= 0xa1 && byte <= 0xac) || byte >= 0xae;
  characters.push(String.fromCodePoint(isPrintable ? byte : next++));
}

export const byteOfCharacter: ReadonlyMap<string, number> = new Map(characters.map((own, byte) => [own, byte]));

/** One character for each byte of the text in UTF-8. */
export function spellBytes(text: string): string {
  let spelled = '';
  for (const byte of Buffer.from(text)) spelled += characters[byte] ?? '';
  return spelled;
}
