import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { basename, join } from 'node:path';
import { before, describe, it } from 'node:test';
import type { Row } from '../task.ts';
import { assetsFolder, skipWithoutAssets } from './assets.ts';
import { findModel, partOf, type RunningModel, startModel } from './run-model.ts';

type Labels = { label: string; score: number }[];

describe('image classification on MobileNet v2', { skip: skipWithoutAssets() }, () => {
  let model: RunningModel;
  const images = join(assetsFolder, 'images');
  before(async () => {
    model = await startModel(await findModel(join(assetsFolder, 'models', 'imagenet'), 'mobilenet_v2_1.0_224'));
  });
  const file = (path: string) => ({ kind: 'file', path, type: 'image/jpeg' }) as const;
  const photos = () =>
    ['imagenet-fish', 'imagenet-other'].flatMap((folder) =>
      readdirSync(join(images, folder)).map((name) => join(images, folder, name)),
    );
  /** n01440764_tench.JPEG -> tench: the file's name tells the class. */
  const isRight = (path: string, label: string | undefined) => {
    const name = basename(path, '.JPEG')
      .replace(/^n\d+_/, '')
      .replaceAll('_', ' ');
    return label?.toLowerCase().split(', ').includes(name.toLowerCase()) ?? false;
  };

  it('agrees with Pillow and ONNX Runtime in Python on label and score', async () => {
    // Pillow 11.3, bilinear to 256, centre crop 224, onnxruntime 1.30; 17 of the 19 labels are right.
    const reference: Readonly<Record<string, number>> = {
      n01440764_tench: 0.94954,
      n01484850_great_white_shark: 0.58824,
      n01491361_tiger_shark: 0.99227,
      n02536864_coho: 0.99297,
      n02607072_anemone_fish: 0.806,
      n02640242_sturgeon: 0.99987,
      n02643566_lionfish: 0.84537,
      n02655020_puffer: 0.99979,
      n01558993_robin: 0.9978,
      n02099601_golden_retriever: 0.72842,
      n02124075_Egyptian_cat: 0.67727,
      n02391049_zebra: 0.9999,
      n02504458_African_elephant: 0.99651,
      n02992529_cellular_telephone: 0.56719,
      n04398044_teapot: 0.97306,
      n04467665_trailer_truck: 0.92351,
      n07697313_cheeseburger: 0.9996,
    };
    const wrong: string[] = [];
    for (const path of photos()) {
      const [best] = (await model.answer(file(path))) as Labels;
      if (!isRight(path, best?.label)) wrong.push(`${basename(path)}: ${best?.label}`);
      const expected = reference[basename(path, '.JPEG')];
      if (expected !== undefined) assert.ok(Math.abs((best?.score ?? 0) - expected) < 1e-3, `${path} ${best?.score}`);
    }
    assert.deepEqual(wrong, [
      'n01498041_stingray.JPEG: electric ray, crampfish, numbfish, torpedo',
      'n03793489_mouse.JPEG: desktop computer',
    ]);
  });

  it('gives an image the same scores alone and at every place of a batch', async () => {
    const rows: Row[] = [];
    for (const path of photos().slice(0, 4)) rows.push(...(await model.prepare(file(path))));
    const alone = await Promise.all(rows.map(async (row) => partOf((await model.run([row]))[0]) as Labels));
    for (const shift of rows.keys()) {
      const order = rows.map((_, at) => (at + shift) % rows.length);
      const outcomes = await model.run(order.map((at) => rows[at] as Row));
      for (const [place, at] of order.entries()) {
        const [best] = partOf(outcomes[place]) as Labels;
        assert.equal(best?.label, alone[at]?.[0]?.label);
        assert.ok(Math.abs((best?.score ?? 0) - (alone[at]?.[0]?.score ?? 0)) < 2e-5);
      }
    }
  });

  it('obeys top_k and function_to_apply', async () => {
    const [path = ''] = photos();
    const answer = async (parameters: Record<string, unknown>) =>
      (await model.answer(file(path), parameters)) as Labels;
    assert.equal((await answer({})).length, 5);
    const all = await answer({ top_k: 1000 });
    assert.equal(all.length, 1000);
    assert.ok(all.every(({ score }, at) => score <= (all[at - 1]?.score ?? 1)));
    const [logit, sigmoid] = [
      (await answer({ function_to_apply: 'none' }))[0],
      (await answer({ function_to_apply: 'sigmoid' }))[0],
    ];
    assert.ok((logit?.score ?? 0) > 1);
    assert.ok(Math.abs((sigmoid?.score ?? 0) - 1 / (1 + Math.exp(-(logit?.score ?? 0)))) < 1e-5);
  });

  it('answers the canary', async () => {
    assert.equal((partOf((await model.canary())[0]) as Labels).length, 5);
  });
});
