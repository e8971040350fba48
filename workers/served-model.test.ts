import assert from 'node:assert/strict';
import { beforeEach, test } from 'node:test';
import { waitUntil } from '../shared/testing/wait-until.ts';
import { ServedModel } from './served-model.ts';

let told: string[];
let opened: number;
let warm: () => Promise<void>;
let model: ServedModel;

beforeEach(() => {
  told = [];
  opened = 0;
  warm = async () => {};
  model = new ServedModel({
    warm: () => warm(),
    open: () => {
      opened++;
      return { async pause() {}, resume() {}, async close() {} };
    },
    tell: (state) => told.push(state),
    retryMs: 50,
  });
});

test('a second lane that has the model does not make it ready while its items can not be prepared', async () => {
  let isThere = false;
  warm = async () => {
    if (!isThere) throw new Error('no tokeniser');
  };
  model.change('ready');
  await waitUntil('it failed', () => told.includes('failed'));
  model.change('ready');
  assert.deepEqual(new Set(told), new Set(['failed']));
  isThere = true;
  await waitUntil('it is ready', () => told.at(-1) === 'ready');
  assert.equal(opened, 1);
});

test('a model that is set aside while it warms opens no consumers until it is ready again', async () => {
  const warmed = Promise.withResolvers<void>();
  warm = () => warmed.promise;
  model.change('ready');
  model.change('quarantined');
  warmed.resolve();
  await new Promise((resolve) => setImmediate(resolve));
  assert.deepEqual([told, opened], [['quarantined'], 0]);
  model.change('ready');
  await waitUntil('it is ready', () => told.at(-1) === 'ready');
  assert.equal(opened, 1);
});
