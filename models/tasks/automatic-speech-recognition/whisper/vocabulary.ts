/**
 * Ids to text. Whisper's tokens are byte-level BPE: each stands for bytes, and a character may be spread over several.
 * Reads tokenizer.json without a library, since a lane loads none.
 */
import type { Json } from '../../../repository/version-files.ts';

export interface WhisperVocabulary {
  /** The text of these ids; ids of no text (timestamps, the end) are left out. Bytes that are no UTF-8 become U+FFFD. */
  decode(ids: readonly number[]): string;
}

export function readVocabulary(tokenizer: Json, tokenizerConfig: Json, textIdsEnd: number): WhisperVocabulary {
  const byteOf = byteTable();
  const pieces: Uint8Array[] = [];
  for (const [token, id] of Object.entries((tokenizer['model'] as Json)['vocab'] as Record<string, number>))
    pieces[id] = Uint8Array.from(token, (character) => byteOf.get(character) ?? 0x3f);
  const decoder = new TextDecoder('utf-8', { ignoreBOM: true });
  const cleansUp = tokenizerConfig['clean_up_tokenization_spaces'] === true;
  return {
    decode(ids) {
      const bytes = ids.flatMap((id) => (id < textIdsEnd ? [...(pieces[id] ?? [])] : []));
      const text = decoder.decode(Uint8Array.from(bytes));
      return cleansUp ? cleanUp(text) : text;
    },
  };
}

/** GPT-2's alphabet: printable bytes are themselves, the others are the characters from U+0100 on, in order. */
function byteTable(): Map<string, number> {
  const isPrintable = (byte: number) =>
    (byte >= 0x21 && byte <= 0x7e) || (byte >= 0xa1 && byte <= 0xac) || (byte >= 0xae && byte <= 0xff);
  const table = new Map<string, number>();
  let next = 0x100;
  for (let byte = 0; byte < 256; byte++) table.set(String.fromCodePoint(isPrintable(byte) ? byte : next++), byte);
  return table;
}

/** As transformers' `clean_up_tokenization`, in its order, where tokenizer_config.json asks for it. */
const untidy: readonly (readonly [string, string])[] = [
  [' .', '.'],
  [' ?', '?'],
  [' !', '!'],
  [' ,', ','],
  [" ' ", "'"],
  [" n't", "n't"],
  [" 'm", "'m"],
  [" 's", "'s"],
  [" 've", "'ve"],
  [" 're", "'re"],
];

function cleanUp(text: string): string {
  return untidy.reduce((tidy, [from, to]) => tidy.replaceAll(from, to), text);
}
