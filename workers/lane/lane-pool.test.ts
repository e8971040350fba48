import assert from 'node:assert/strict';
import { join } from 'node:path';
import { afterEach, test } from 'node:test';
import { type ModelFiles, unitOf } from '../../models/repository/model-files.ts';
import { modelFiles } from '../../models/testing/model-files.ts';
import { createLogger } from '../../shared/observability/logger.ts';
import { waitUntil } from '../../shared/testing/wait-until.ts';
import type { FakeContext } from './fake-lane.ts';
import { LanePool, type ModelState } from './lane-pool.ts';

const entry = join(import.meta.dirname, 'fake-lane.ts');
let pool: LanePool;
let states: ModelState[];

function startPool(model: string, lanes: number): void {
  states = [];
  pool = new LanePool({ device: 'cpu', threads: 1, lanes, entry, retryMs: 100 }, createLogger('test', 'silent'), {
    onIdle() {},
    onModel: (_files, state) => states.push(state),
    onLaneEnd() {},
  });
  pool.add(modelFiles({ id: model }));
  pool.start();
}

/** One lane with room for so many of these models, since each takes a byte there; gives what is said of them. */
function startNarrowPool(room: number, models: readonly ModelFiles[], waits = new Map<string, number>()): string[] {
  const said: string[] = [];
  pool = new LanePool(
    { device: 'cpu', threads: 1, lanes: 1, entry, memoryBytes: room },
    createLogger('test', 'silent'),
    {
      onIdle() {},
      onModel: ({ id }, state) => said.push(`${id} ${state}`),
      onLaneEnd() {},
      waits: () => waits,
    },
  );
  for (const files of models) pool.add(files);
  pool.start();
  return said;
}
const namedModels = (...ids: string[]) => ids.map((id) => modelFiles({ id }));
const readyOf = (said: readonly string[]) => said.filter((each) => each.endsWith(' ready')).length;

afterEach(() => pool.stop());

const laneOf = (name: string) => pool.lanes.find((lane) => lane.name === name);

test('a lane that was loading a model while another died of it does not pass for having it', async () => {
  startPool('loads-slowly', 2);
  // Both load from their first breath on.
  process.kill(laneOf('lane-0')?.pid as number, 'SIGKILL');
  await waitUntil('it is quarantined', () => states.includes('quarantined'));
  await waitUntil('both lanes have it', () => pool.lanes.filter((lane) => lane.models.size === 1).length === 2);
  const context = { does: 'echo', says: 'x' } satisfies FakeContext;
  const row = { tensors: {}, length: 1, shapeKey: 'x', context };
  const unit = unitOf(modelFiles({ id: 'loads-slowly' }));
  for (const lane of pool.lanes)
    assert.equal((await lane.run(unit, [{ row, alone: true }], 30_000)).kind, 'ran', lane.name);
});

test('a load that failed is tried again', async () => {
  startPool('fails-at-first', 2);
  await waitUntil('it failed', () => states.includes('failed'));
  await waitUntil('both lanes have it', () => pool.lanes.filter((lane) => lane.models.size === 1).length === 2);
  assert.equal(states.at(-1), 'ready');
});

test('a lane with room for two of four models tries each, and loads one again when rows of it wait', async () => {
  const waits = new Map<string, number>();
  const models = namedModels('one', 'two', 'three', 'four');
  const said = startNarrowPool(2, models, waits);
  await waitUntil('each was tried', () => readyOf(said) === 4);
  const [lane] = pool.lanes;
  await waitUntil('two are left', () => lane?.models.size === 2);
  const absent = models.map(unitOf).find((unit) => !lane?.models.has(unit)) as string;
  waits.set(absent, performance.now());
  if (lane) pool.offer(lane);
  await waitUntil('it came back', () => lane?.models.has(absent) === true);
  assert.equal(lane?.models.size, 2);
});

test('a model that somebody waits for keeps its place when others turn out not to fit', async () => {
  const awaited = modelFiles({ id: 'awaited', isAwaited: true });
  const said = startNarrowPool(2, [awaited, ...namedModels('two', 'three', 'four')]);
  await waitUntil('each was tried', () => readyOf(said) === 4);
  await waitUntil('two are left', () => pool.lanes[0]?.models.size === 2);
  assert.ok(pool.lanes[0]?.models.has(unitOf(awaited)));
});

test('a model that was set aside comes back, though its place is taken and no row of it can wait', async () => {
  const [one, two] = [modelFiles({ id: 'one' }), modelFiles({ id: 'two' })] as const;
  const said = startNarrowPool(1, [one, two]);
  await waitUntil('both were tried', () => said.includes('one ready') && said.includes('two ready'));
  await waitUntil('one is left', () => pool.lanes[0]?.models.size === 1);
  const unit = pool.lanes[0]?.models.has(unitOf(one)) ? unitOf(two) : unitOf(one);
  while (!said.at(-1)?.endsWith('quarantined')) pool.countCrash(unit);
  said.length = 0;
  const id = unit === unitOf(one) ? 'one' : 'two';
  await waitUntil('it is ready again', () => said.includes(`${id} ready`));
});
