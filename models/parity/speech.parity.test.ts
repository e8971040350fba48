import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { before, describe, it } from 'node:test';
import { scanRepository } from '../repository/scan-repository.ts';
import type { Row } from '../task.ts';
import { assetsFolder, skipWithoutAssets } from './assets.ts';
import { partOf, type RunningModel, startModel } from './run-model.ts';

const { models } = await scanRepository([join(import.meta.dirname, '..', 'zoo')]);
const files = models.find((model) => model.task === 'automatic-speech-recognition');
const skip = skipWithoutAssets() || (files ? false : 'the zoo holds no speech model');

describe('speech recognition on spoken digits', { skip }, () => {
  let model: RunningModel;
  const recordings = join(assetsFolder, 'audio', 'fsdd', 'recordings');
  before(async () => {
    assert.ok(files);
    model = await startModel(files);
  });
  const file = (name: string) => ({ kind: 'file', path: join(recordings, name), type: 'audio/wav' }) as const;

  it('writes most digits of every speaker right', async () => {
    const words = ['zero', 'one', 'two', 'three', 'four', 'five', 'six', 'seven', 'eight', 'nine'];
    const names = readdirSync(recordings).filter((name) => name.endsWith('_0.wav'));
    let right = 0;
    for (const name of names) {
      const { text } = (await model.answer(file(name))) as { text: string };
      if (text === words[Number(name[0])]) right++;
    }
    assert.ok(names.length >= 10 && right / names.length > 0.8, `${right} of ${names.length}`);
  });

  it('gives a recording the same words alone, among longer ones, and at every place of a batch', async () => {
    const rows: Row[] = [];
    for (const name of ['0_george_1.wav', '7_jackson_2.wav', '9_lucas_3.wav', '3_nicolas_4.wav'])
      rows.push(...(await model.prepare(file(name), { return_timestamps: 'char' })));
    const alone = await Promise.all(rows.map(async (row) => partOf((await model.run([row]))[0])));
    for (const shift of rows.keys()) {
      const order = rows.map((_, at) => (at + shift) % rows.length);
      const outcomes = await model.run(order.map((at) => rows[at] as Row));
      for (const [place, at] of order.entries()) assert.deepEqual(partOf(outcomes[place]), alone[at]);
    }
  });
});
