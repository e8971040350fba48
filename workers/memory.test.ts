/** A worker with room for two of its four models: a model of the fake engine takes one byte of a lane. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { modelFiles } from '../models/testing/model-files.ts';
import { WorkerLab } from './testing/worker-lab.ts';

const ids = ['one', 'two', 'three', 'four'] as const;
const settings = { modelMemoryBytes: 2 };
let lab: WorkerLab;
before(async () => {
  lab = await WorkerLab.open();
});
after(() => lab.close());

test('every job of every model ends, though two models are always away', async () => {
  const models = ids.map((id) => modelFiles({ id }));
  await lab.live(models, { settings }, async () => {
    for (const id of [...ids, ...ids]) assert.equal((await lab.outcome(await lab.submit(id, 1))).status, 'succeeded');
    const jobs = await Promise.all([...ids, ...ids, ...ids, ...ids].map((id) => lab.submit(id, 30)));
    for (const job of jobs) assert.equal((await lab.outcome(job)).status, 'succeeded');
  });
});

test('a job ends beside a model that is written with all the time, and has the only place', async () => {
  const models = ['writes', 'one'].map((id) => modelFiles({ id }));
  await lab.live(models, { settings: { modelMemoryBytes: 1 } }, async () => {
    let isOver = false;
    // Six rows of half a second for four slots: at every moment some are half done.
    const writers = Array.from({ length: 6 }, async (_, at) => {
      while (!isOver) await lab.outcome(await lab.submit('writes', 400 + 70 * at));
    });
    assert.equal((await lab.outcome(await lab.submit('writes', 10))).status, 'succeeded');
    assert.equal((await lab.outcome(await lab.submit('one', 1))).status, 'succeeded');
    isOver = true;
    await Promise.all(writers);
  });
});
