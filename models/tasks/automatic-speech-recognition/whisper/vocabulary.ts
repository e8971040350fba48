/**
 * Ids to text. Whisper's tokens are byte-level BPE: each stands for bytes, and a character may be spread over several.
 * Reads tokenizer.json without a library, since a lane loads none.
 */
import type { Json } from '../../../repository/version-files.ts';
import { byteOfCharacter } from '../../../text/byte-alphabet.ts';
import { cleanUp } from '../../../text/clean-up.ts';

export interface WhisperVocabulary {
  /** The text of these ids; ids of no text (timestamps, the end) are left out. Bytes that are no UTF-8 become U+FFFD. */
  decode(ids: readonly number[]): string;
}

export function readVocabulary(tokenizer: Json, tokenizerConfig: Json, textIdsEnd: number): WhisperVocabulary {
  const pieces: Uint8Array[] = [];
  for (const [token, id] of Object.entries((tokenizer['model'] as Json)['vocab'] as Record<string, number>))
    pieces[id] = Uint8Array.from(token, (character) => byteOfCharacter.get(character) ?? 0x3f);
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
