/** Recordings sent to Whisper over HTTP, all at once: each gets what transformers' pipeline hears (models/parity/reference/whisper.py). */
import assert from 'node:assert/strict';
import { openAsBlob, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { smallModels } from '../../models/parity/expected.ts';
import { type RunningSystem, startSystem } from '../system/running-system.ts';

interface ReferenceCase {
  readonly recording: string;
  readonly parameters: Readonly<Record<string, unknown>>;
  readonly output: { readonly text: string; readonly chunks?: readonly { readonly text: string }[] };
}
interface Heard {
  readonly text: string;
  readonly chunks?: readonly { readonly text: string }[];
  readonly words?: readonly {
    readonly word: string;
    readonly start: number;
    readonly end: number;
    readonly probability: number;
  }[];
  readonly segments?: readonly { readonly text: string; readonly tokens: readonly number[] }[];
  readonly srt?: string;
  readonly language?: string;
}

const timestamped = 'whisper-tiny_timestamped';
const root = join(import.meta.dirname, '..', '..');
const casesOf = (path: string) => JSON.parse(readFileSync(join(smallModels, path), 'utf8')) as readonly ReferenceCase[];
const cases = casesOf('whisper-tiny/reference.json');

describe('Whisper over HTTP', () => {
  let system: RunningSystem;
  before(async () => {
    system = await startSystem({ models: ['whisper-tiny', timestamped], env: { MODELS_DIR: smallModels } });
  });
  after(() => system.stop());

  async function hear(
    recording: string,
    parameters: Readonly<Record<string, unknown>>,
    model = 'whisper-tiny',
  ): Promise<Heard> {
    const form = new FormData();
    form.set('model', model);
    // As transformers cuts; and random weights may find that nobody speaks.
    form.set('parameters', JSON.stringify({ chunking: 'overlap', no_speech_threshold: 1, ...parameters }));
    form.set('file', await openAsBlob(join(root, recording)), basename(recording));
    const response = await fetch(`${system.url}/v1/jobs`, {
      method: 'POST',
      body: form,
      headers: { prefer: 'wait=60' },
    });
    const job = (await response.json()) as { status: string; output: Heard; error?: unknown };
    assert.equal(job.status, 'succeeded', JSON.stringify(job));
    return job.output;
  }

  it('answers each of many recordings as if it were alone', async () => {
    const wishes = [...cases, ...cases, ...cases];
    const heard = await Promise.all(wishes.map(({ recording, parameters }) => hear(recording, parameters)));
    for (const [index, { output }] of wishes.entries()) {
      assert.equal(heard[index]?.text, output.text.trim());
      const spoken = output.chunks?.filter(({ text }) => text !== '').map(({ text }) => text);
      assert.deepEqual(
        heard[index]?.chunks?.map(({ text }) => text),
        spoken,
      );
    }
  });

  it('fills OpenAI’s verbose JSON and writes subtitles', async () => {
    const [recording, language] = [cases[4]?.recording ?? '', 'German'];
    const plain = await hear(recording, { language, return_timestamps: true });
    const verbose = await hear(recording, { language, response_format: 'verbose_json' });
    assert.equal(verbose.language, 'german');
    assert.deepEqual(
      verbose.segments?.map(({ text }) => text),
      plain.chunks?.map(({ text }) => text),
    );
    assert.ok(verbose.segments?.every(({ tokens }) => tokens.length > 0));
    assert.match((await hear(recording, { language, response_format: 'srt' })).srt ?? '', /^1\n00:00:00,\d{3} --> /);
  });

  it('times words, also in verbose JSON, with what they are likely', async () => {
    const wishes = casesOf(`${timestamped}/words.json`);
    const heard = await Promise.all(
      wishes.map(({ recording, parameters }) =>
        hear(recording, { ...parameters, response_format: 'verbose_json' }, timestamped),
      ),
    );
    for (const [index, { output }] of wishes.entries()) {
      const { words = [], segments = [] } = heard[index] ?? {};
      const said = output.chunks?.map(({ text }) => text.trim()).filter((text) => text !== '');
      assert.deepEqual(
        words.map(({ word }) => word),
        said,
      );
      assert.ok(words.every(({ start, end, probability }) => start <= end && probability > 0 && probability <= 1));
      assert.equal(
        words.map(({ word }) => word).join(''),
        segments
          .map(({ text }) => text)
          .join('')
          .replace(/\s/g, ''),
      );
    }
  });

  it('says which parameter the model can not serve', async () => {
    await assert.rejects(hear(cases[0]?.recording ?? '', { return_timestamps: 'word' }), /cross-attentions/);
    await assert.rejects(hear(cases[0]?.recording ?? '', { language: 'fr' }), /knows en, ru, de|It knows/);
  });
});
