import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import type { ModelFiles } from '../../../repository/model-files.ts';
import { readWhisperFiles } from './whisper-files.ts';

const names = ['<|endoftext|>', '<|startoftranscript|>', '<|en|>', '<|ru|>', '<|translate|>', '<|transcribe|>'];
const more = ['<|startofprev|>', '<|nospeech|>', '<|notimestamps|>'];
const tokenizer = {
  model: { vocab: { a: 0, Ġb: 1 } },
  added_tokens: [...names, ...more].map((content, index) => ({ content, id: 10 + index })),
};
const lang_to_id = { '<|en|>': 12, '<|ru|>': 13 };

describe("what is read of a Whisper model's files", () => {
  let folder: string;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'whisper-'));
  });
  after(() => rm(folder, { recursive: true }));

  const read = async (generation: object, config: object = {}, processor: object = {}) => {
    const files = {
      'tokenizer.json': tokenizer,
      'generation_config.json': generation,
      'preprocessor_config.json': processor,
    };
    for (const [name, json] of Object.entries(files)) await writeFile(join(folder, name), JSON.stringify(json));
    return await readWhisperFiles({ id: 'w', versionFolder: folder, limits: {} } as ModelFiles, { ...config });
  };

  it('are the sizes that they say, and those of the first checkpoints where they say none', async () => {
    const usual = await read({ is_multilingual: true });
    assert.deepEqual(usual.mel, { sampleRate: 16_000, fftSize: 400, hop: 160, mels: 80, windowSamples: 480_000 });
    assert.deepEqual([usual.secondsPerTimestamp, usual.positionsMax], [0.02, 448]);
    const large = await read(
      {},
      { max_source_positions: 50, max_target_positions: 64 },
      { feature_size: 128, chunk_length: 1 },
    );
    assert.deepEqual([large.mel.mels, large.mel.windowSamples, large.positionsMax], [128, 16_000, 64]);
    assert.equal((await read({}, { num_mel_bins: 128 })).mel.mels, 128);
  });

  it('are the language and task that a checkpoint was made for, in new words and in old', async () => {
    const usual = async (generation: object, config = {}) => {
      const { usualLanguage, usualTask } = await read({ is_multilingual: true, lang_to_id, ...generation }, config);
      return [usualLanguage, usualTask];
    };
    assert.deepEqual(await usual({}), [null, 'transcribe']);
    assert.deepEqual(await usual({ language: 'ru', task: 'translate' }), ['ru', 'translate']);
    const old = [
      [1, 13],
      [2, 14],
    ];
    assert.deepEqual(await usual({ forced_decoder_ids: old, language: null, task: null }), ['ru', 'translate']);
    assert.deepEqual(await usual({}, { forced_decoder_ids: old }), ['ru', 'translate']);
    assert.deepEqual(
      await usual({
        forced_decoder_ids: [
          [1, null],
          [2, 15],
        ],
      }),
      [null, 'transcribe'],
    );
  });

  it('are suppressed tokens, without the -1 that once stood for a list', async () => {
    const { suppressed, suppressedFirst } = await read({ suppress_tokens: [-1, 3] }, { begin_suppress_tokens: [4] });
    assert.deepEqual([suppressed, suppressedFirst], [[3], [4]]);
  });

  it('must have the tokens of Whisper', async () => {
    await read({});
    await writeFile(join(folder, 'tokenizer.json'), JSON.stringify({ ...tokenizer, added_tokens: [] }));
    const files = { id: 'w', versionFolder: folder, limits: {} } as ModelFiles;
    await assert.rejects(readWhisperFiles(files, {}), /no <\|notimestamps\|>: it is not of a Whisper model/);
  });
});
