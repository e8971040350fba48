import assert from 'node:assert/strict';
import { beforeEach, test } from 'node:test';
import type { Lane, LoadedModel, StepResult } from '../../lane/lane.ts';
import type { LanePool } from '../../lane/lane-pool.ts';
import type { LaneOutcome, StepOrder } from '../../lane/lane-protocol.ts';
import type { QueuedRow } from '../../running/running-job.ts';
import { StepCalls } from './step-calls.ts';

/** A lane that answers as it is told, and remembers its orders. */
class TestLane {
  readonly name = 'lane-0';
  readonly models = new Map<string, LoadedModel>([['m', { writes: { slots: 4, isLockstep: false } }]]);
  readonly orders: StepOrder[] = [];
  readonly held = new Set<number>();
  answer: (order: StepOrder) => StepResult = () => this.stepped([]);

  async step(_model: string, order: StepOrder): Promise<StepResult> {
    this.orders.push(order);
    for (const id of order.evict) this.held.delete(id);
    for (const { id } of order.admit) this.held.add(id);
    return this.answer(order);
  }

  stepped(ended: readonly number[]): StepResult {
    for (const id of ended) this.held.delete(id);
    const finished = ended.map((id) => ({ id, outcome: { json: '"text"' } }));
    const work = { steps: 1, lines: 4, tokens: 4, computeMs: 10, stepMs: 10, wallMs: 12 };
    return { kind: 'stepped', finished, held: [...this.held], ...work };
  }
}

let lane: TestLane;
let steps: StepCalls;
let waiting: QueuedRow[];
let wanted: (row: QueuedRow) => boolean;
let outcomes: [QueuedRow, LaneOutcome][];
let died: readonly QueuedRow[];
let isLeaving: boolean;

beforeEach(() => {
  lane = new TestLane();
  waiting = [];
  outcomes = [];
  died = [];
  isLeaving = false;
  wanted = () => true;
  const queue = {
    add: (rows: readonly QueuedRow[]) => waiting.push(...rows),
    isWanted: (row: QueuedRow) => wanted(row),
  };
  steps = new StepCalls(queue, {
    onSteps() {},
    onStepsEnd() {},
    onStepReport() {},
    onWritten: (_lane, { row }, outcome) => outcomes.push([row, outcome]),
    onUnwritten() {},
    onDeath: (_lane, rows) => {
      died = rows;
    },
  });
  const pool = {
    lanes: [lane],
    countCrash() {},
    countSuccess() {},
    isLeaving: (_lane: Lane, unit: string) => isLeaving && unit === 'm',
  };
  steps.attach(pool as unknown as LanePool);
});

let clock = 0;
/** Enough for their memory to be given back. */
const pixels = 40_000;
const rows = (count: number): QueuedRow[] =>
  Array.from({ length: count }, () => {
    const common = { model: 'm', class: 'normal', length: 1, shapeKey: 'x', suspect: false, alone: false, index: 0 };
    const item = { parts: [null] };
    return {
      ...common,
      arrivedMs: clock++,
      waitsSinceMs: 0,
      deadlineMs: Infinity,
      row: { tensors: { pixels: { type: 'uint8', dims: [pixels], data: new Uint8Array(pixels) } } },
      item,
    } as unknown as QueuedRow;
  });

/** One call with what waits; false when the lane has nothing to write. */
async function call(): Promise<boolean> {
  const [candidate] = steps.candidates(lane as unknown as Lane, waiting);
  if (!candidate) return false;
  waiting = waiting.filter((row) => !candidate.steps.plan.admit.includes(row));
  await steps.carry(lane as unknown as Lane, candidate, 25);
  return true;
}

test('rows that end make room for those that wait, and bear their share of lane time', async () => {
  waiting = rows(6);
  await call();
  assert.deepEqual([lane.held.size, waiting.length], [4, 2]);
  lane.answer = () => lane.stepped([...lane.held].slice(0, 3));
  await call();
  await call();
  assert.equal(lane.orders[2]?.admit.length, 2);
  assert.equal(outcomes.length, 6);
  assert.ok(
    outcomes.every(([{ row }]) => row.tensors['pixels']?.data.length === 0),
    'nobody reads them again',
  );
  assert.equal(await call(), false);
});

test('when memory runs out the rows are written again, half as many at a time, and none is blamed', async () => {
  waiting = rows(4);
  lane.answer = () => ({ kind: 'failed', reason: 'Failed to allocate memory', outOfMemory: true });
  await call();
  assert.deepEqual([waiting.length, waiting.some(({ suspect }) => suspect)], [4, false]);
  lane.held.clear();
  lane.answer = () => lane.stepped([...lane.held]);
  await call();
  assert.equal(lane.orders[1]?.admit.length, 2);
});

test('where more rows write less, fewer than there are slots are written at once', async () => {
  waiting = rows(200);
  lane.answer = ({ admit }) => {
    const lines = admit.length;
    return { ...lane.stepped([...lane.held]), steps: 1, lines, stepMs: 600 * lines ** 2 } as StepResult;
  };
  for (let calls = 0; calls < 40; calls++) await call();
  assert.equal(lane.orders[0]?.admit.length, 4);
  assert.equal(lane.orders.at(-1)?.admit.length, 1);
  steps.forget('m');
  await call();
  assert.equal(lane.orders.at(-1)?.admit.length, 4, 'of a model that left it is not kept');
});

test('of a model that left it is not kept that memory ran out', async () => {
  waiting = rows(4);
  lane.answer = () => ({ kind: 'failed', reason: 'Failed to allocate memory', outOfMemory: true });
  await call();
  lane.held.clear();
  steps.forget('m');
  await call();
  assert.equal(lane.orders[1]?.admit.length, 4);
});

test('a step that fails otherwise makes its rows suspects, and a row that was alone gets the reason', async () => {
  waiting = rows(3);
  lane.answer = () => ({ kind: 'failed', reason: 'bad node', outOfMemory: false });
  await call();
  assert.ok(waiting.length === 3 && waiting.every(({ suspect }) => suspect));
  await call();
  assert.equal(lane.orders[1]?.admit.length, 1);
  const [, outcome] = outcomes[0] as [QueuedRow, LaneOutcome];
  assert.match(JSON.stringify(outcome), /refused this item: bad node/);
});

test('a lane that dies in the call leaves its rows to the owner; one that dies between calls gives them back', async () => {
  waiting = rows(2);
  lane.answer = () => ({ kind: 'died', reason: 'killed' });
  await call();
  assert.deepEqual([died.length, waiting.length], [2, 0]);
  lane.answer = () => lane.stepped([]);
  waiting = rows(3);
  await call();
  steps.laneEnded(lane as unknown as Lane);
  assert.ok(waiting.length === 3 && waiting.every(({ suspect }) => !suspect));
});

test('rows of a model that the lane lost, or loaded anew, are written again', async () => {
  waiting = rows(2);
  await call();
  lane.held.clear();
  lane.models.set('m', { writes: { slots: 4, isLockstep: false } });
  lane.answer = () => lane.stepped([...lane.held]);
  await call();
  assert.equal(lane.orders[1]?.admit.length, 2);
  assert.equal(outcomes.length, 2);
  lane.models.delete('m');
  assert.equal(await call(), false);
});

test('the lane is told of rows that nobody wants any more, also when no other is left', async () => {
  waiting = rows(2);
  await call();
  const ids = [...lane.held];
  wanted = () => false;
  assert.equal(await call(), true);
  assert.deepEqual(lane.orders[1]?.evict, ids);
  assert.deepEqual([lane.held.size, waiting.length, steps.liveRows.get('m')], [0, 0, 0]);
});

test('a model that leaves its place to another writes what it has to the end, and begins no more', async () => {
  waiting = rows(6);
  await call();
  isLeaving = true;
  lane.answer = () => lane.stepped([...lane.held].slice(0, 2));
  await call();
  await call();
  assert.deepEqual([lane.held.size, outcomes.length, waiting.length], [0, 4, 2]);
  assert.equal(await call(), false);
});
