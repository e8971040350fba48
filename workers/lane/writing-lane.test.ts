import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { tinyFolder } from '../../models/generation/testing/tiny-model.ts';
import { unitOf } from '../../models/repository/model-files.ts';
import type { Row } from '../../models/task.ts';
import { modelFiles } from '../../models/testing/model-files.ts';
import { Lane, laneEntry, type SteppedCall } from './lane.ts';
import type { LaneOutcome } from './lane-protocol.ts';

/** Two ways to decode, in real lanes: the tiny encoder-decoder behind the real pipeline and the real runtime. */
const models = ['stock', 'slots'].map((layout) => {
  const versionFolder = join(tinyFolder, layout);
  return modelFiles({ id: layout, task: 'image-to-text', folder: versionFolder, versionFolder });
});
let lane: Lane;

function openLane(): Lane {
  return new Lane('lane-0', { device: 'cpu', threads: 1 }, laneEntry);
}
before(() => {
  lane = openLane();
});
after(() => lane.stop());

function rowOf(seed: number): Row {
  const data = Uint8Array.from({ length: 3 * 16 * 16 }, (_, at) => (at * (seed + 3) * 37) % 251);
  return {
    tensors: { pixel_values: { type: 'uint8', dims: [3, 16, 16], data } },
    length: 1,
    shapeKey: '3x16x16',
    context: { wish: {}, promptIds: [] },
  };
}
const admit = (ids: readonly number[]) => ids.map((id) => ({ id, row: rowOf(id), alone: true, rank: 1 }));

async function step(
  unit: string,
  ids: readonly number[],
  budgetMs: number,
  evict: number[] = [],
): Promise<SteppedCall> {
  const result = await lane.step(unit, { admit: admit(ids), evict, budgetMs }, 30_000);
  assert.ok(result.kind === 'stepped', JSON.stringify(result));
  return result;
}

async function writeAlone(unit: string, id: number): Promise<LaneOutcome | undefined> {
  let call = await step(unit, [id], 1000);
  while (call.held.length > 0) call = await step(unit, [], 1000);
  return call.finished[0]?.outcome;
}

for (const files of models) {
  const unit = unitOf(files);

  test(`a lane writes with ${files.id} graphs in calls of its budget, the same alone and in company`, async () => {
    const load = await lane.load(files);
    assert.equal(load?.reason, undefined);
    assert.deepEqual(lane.models.get(unit)?.writes, { slots: 16, isLockstep: files.id === 'stock' });
    const ids = [1, 2, 3, 4, 5, 6];
    const outcomes = new Map<number, LaneOutcome>();
    let call = await step(unit, ids, 0);
    assert.deepEqual([call.finished.length, call.held.length], [0, ids.length]);
    for (let calls = 0; call.held.length > 0; calls++) {
      assert.ok(calls < 500);
      call = await step(unit, [], 1);
      for (const { id, outcome } of call.finished) outcomes.set(id, outcome);
    }
    for (const id of ids) {
      assert.match((outcomes.get(id) as { json: string }).json, /generated_text/);
      assert.deepEqual(await writeAlone(unit, id), outcomes.get(id), `row ${id}`);
    }
  });

  test(`a lane with ${files.id} graphs forgets a row that is evicted`, async () => {
    const { held } = await step(unit, [11, 12], 0);
    assert.deepEqual(held.toSorted(), [11, 12]);
    assert.deepEqual((await step(unit, [], 0, [11, 12])).held, []);
  });
}

test('a lane that is killed while it writes says so, and another goes on', async () => {
  const [files] = models as [(typeof models)[0]];
  const unit = unitOf(files);
  await step(unit, [1, 2], 0);
  const call = lane.step(unit, { admit: [], evict: [], budgetMs: 10_000 }, 30_000);
  lane.kill('told to');
  assert.deepEqual(await call, { kind: 'died', reason: 'told to' });
  lane = openLane();
  await lane.load(files);
  assert.ok(await writeAlone(unit, 1));
});
