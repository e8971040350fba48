import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { readVocabulary } from './vocabulary.ts';
import { splitWords } from './words.ts';

interface WordCase {
  readonly language: string;
  readonly ids: readonly number[];
  readonly pieces: Readonly<Record<string, string>>;
  /** Text, first token, end. */
  readonly words: readonly (readonly [string, number, number])[];
}

/** By transformers' `_combine_tokens_into_words` and a real tokenizer: parity/reference/whisper_pieces.py. */
const { words: cases } = JSON.parse(readFileSync(join(import.meta.dirname, 'whisper.reference.json'), 'utf8')) as {
  words: readonly WordCase[];
};
const textEnd = 50_257;
const vocabularyOf = (pieces: Readonly<Record<string, string>>) =>
  readVocabulary(
    { model: { vocab: Object.fromEntries(Object.entries(pieces).map(([id, piece]) => [piece, Number(id)])) } },
    { clean_up_tokenization_spaces: true },
    textEnd,
  );

describe('tokens to words', () => {
  for (const { language, ids, pieces, words } of cases)
    it(`are those of transformers in ${language}: ${words.map(([text]) => text).join('|')}`, () => {
      const found = splitWords(ids, vocabularyOf(pieces), language);
      assert.deepEqual(
        found.map(({ text, from, to }) => [text, from, to]),
        words,
      );
    });

  it('keep every token, also behind bytes that are no text', () => {
    const vocabulary = vocabularyOf({ 1: 'Ġa', 2: 'Ð', 3: '¾', 4: 'b' });
    assert.deepEqual(splitWords([1, 3, 4, 2], vocabulary, 'en'), [{ text: ' a\uFFFDb\uFFFD', from: 0, to: 4 }]);
    assert.deepEqual(
      splitWords([2, 3, 4, 2], vocabulary, 'ja').map(({ text }) => text),
      ['о', 'b', '\uFFFD'],
    );
    assert.deepEqual(
      splitWords([3, 4, 4], vocabulary, 'ja').map(({ text }) => text),
      ['\uFFFD', 'b', 'b'],
    );
    assert.deepEqual(splitWords([], vocabulary, null), []);
  });

  it('keep what opens where nothing follows', () => {
    const words = splitWords([1, 2], vocabularyOf({ 1: 'Ġa', 2: 'Ġ(' }), 'en');
    assert.deepEqual(
      words.map(({ text }) => text),
      [' a', ' ('],
    );
  });
});
