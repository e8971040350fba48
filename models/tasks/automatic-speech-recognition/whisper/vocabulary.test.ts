import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { assetsFolder, skipWithoutAssets } from '../../../parity/assets.ts';
import type { Json } from '../../../repository/version-files.ts';
import { loadTokenizer } from '../../../text/tokenizer.ts';
import { readOutputWish } from '../output/transcription.ts';
import { readDecodingWish } from './caller-wishes.ts';
import { readSpecialTokens } from './special-tokens.ts';
import { readVocabulary } from './vocabulary.ts';
import type { WhisperFiles } from './whisper-files.ts';

const folder = join(assetsFolder, 'tokenizers', 'whisper-tiny-phowhisper');
const read = (path: string) => JSON.parse(readFileSync(path, 'utf8')) as Json;
/** By transformers' tokenizer of the same folder: parity/reference/whisper_pieces.py. */
const { texts } = read(join(import.meta.dirname, 'whisper.reference.json')) as {
  texts: { prompts: [string, number[]][]; decoded: [number[], string][] };
};

describe('tokens of a real Whisper tokenizer', { skip: skipWithoutAssets() }, () => {
  const file = (name: string) => read(join(folder, name));
  const special = () => readSpecialTokens(file('tokenizer.json'), file('generation_config.json'), file('config.json'));

  it('become the text that transformers reads, broken characters included', () => {
    const vocabulary = readVocabulary(file('tokenizer.json'), file('tokenizer_config.json'), special().end);
    for (const [ids, text] of texts.decoded) assert.equal(vocabulary.decode(ids), text);
    assert.equal(vocabulary.decode([50258, 50364]), '', 'special tokens and timestamps are no text');
  });

  it('come of a prompt as in transformers, without the marks that the tokenizer adds', async () => {
    const tokenizer = await loadTokenizer(folder);
    const files = { tokens: special(), positionsMax: 448, usualLanguage: null, usualTask: 'transcribe' };
    const wishOf = (prompt: string) =>
      readDecodingWish({ prompt }, readOutputWish({}), files as unknown as WhisperFiles, async (text) =>
        tokenizer.encode(text),
      );
    for (const [text, ids] of texts.prompts) assert.deepEqual((await wishOf(text)).previousIds, ids, text);
    assert.deepEqual((await wishOf('  ')).previousIds, []);
    const long = (await wishOf('word '.repeat(1000))).previousIds;
    assert.equal(long.length, 224, 'the mark and the last 223');
    assert.deepEqual(
      (await wishOf('<|endoftext|>')).previousIds.filter((id) => id > 50_257),
      [50_361],
    );
  });

  it('have their ids by name', () => {
    const { multilingual, ...ids } = special();
    assert.deepEqual(ids, {
      end: 50_257,
      start: 50_258,
      startOfPrevious: 50_361,
      noSpeech: 50_362,
      noTimestamps: 50_363,
      firstTimestamp: 50_364,
    });
    assert.equal(multilingual?.languages.size, 99);
    assert.equal(multilingual?.languages.get('haw'), 50_352);
    const bare = readSpecialTokens(file('tokenizer.json'), {}, file('config.json'));
    assert.deepEqual(new Set(bare.multilingual?.languages.values()), new Set(multilingual?.languages.values()));
    assert.equal(readSpecialTokens(file('tokenizer.json'), { is_multilingual: false }, {}).multilingual, null);
  });
});
