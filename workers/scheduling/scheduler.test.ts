import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import type { Row } from '../../models/task.ts';
import type { CallResult, Lane, LoadedModel, StepResult } from '../lane/lane.ts';
import type { LanePool } from '../lane/lane-pool.ts';
import type { LaneRow, StepOrder } from '../lane/lane-protocol.ts';
import { CallSample } from '../layout/call-sample.ts';
import type { QueuedRow } from '../running/running-job.ts';
import { AdaptivePolicy } from './adaptive-policy.ts';
import type { CostModel } from './policy.ts';
import { type CallReport, Scheduler, type SchedulerEvents } from './scheduler.ts';
import { grown, knownCost, waitingRow } from './testing/rows.ts';

const pixels = 65_536;
const cost = knownCost(() => 1);
const work = { computeMs: 1, postprocessMs: 0, wallMs: 1 };

/** A lane that answers as it is told. */
function laneOf(answer: (rows: readonly LaneRow[]) => CallResult): Lane {
  const models = new Map<string, LoadedModel>([['m', { writes: null }]]);
  return { name: 'lane-0', models, idle: true, run: async (_model, rows) => answer(rows) } as Partial<Lane> as Lane;
}

function pictures(count: number): QueuedRow[] {
  return Array.from({ length: count }, () => {
    const data = new Uint8Array(pixels).fill(7);
    const row: Row = {
      tensors: { x: { type: 'uint8', dims: [pixels], data } },
      length: 1,
      shapeKey: 'x',
      context: null,
    };
    const item = { job: { isOver: false }, settled: false, parts: [null] };
    return { ...waitingRow(), row, item, index: 0, waitsSinceMs: 0, alone: false } as unknown as QueuedRow;
  });
}

const bytesOf = ({ tensors }: Row) => tensors['x']?.data.byteLength;

const nothing: SchedulerEvents = {
  ...{ onCall() {}, onRow() {}, onReport() {}, onCallEnd() {}, onDeath() {} },
  ...{ onSteps() {}, onStepsEnd() {}, onStepReport() {}, onWritten() {}, onUnwritten() {} },
};

/** Runs these rows in one lane until each has an outcome. */
async function run(
  lane: Lane,
  rows: readonly QueuedRow[],
  wanted: Partial<SchedulerEvents> = {},
  costs: CostModel = cost,
) {
  let open = rows.length;
  await new Promise<void>((resolve) => {
    const onRow: SchedulerEvents['onRow'] = (...row) => {
      wanted.onRow?.(...row);
      if (--open === 0) resolve();
    };
    const events = { ...nothing, ...wanted, onRow };
    const scheduler = new Scheduler(new AdaptivePolicy(costs, { growth: grown }), costs, events);
    const pool = { lanes: [lane], offer: () => scheduler.dispatch(lane), countSuccess() {}, isLeaving: () => false };
    scheduler.attach(pool as Partial<LanePool> as LanePool);
    scheduler.add(rows);
  });
}

test('the memory of pictures is given back once their call was reported, and a sample of it keeps its own', async () => {
  const sample = new CallSample();
  const lane = laneOf((rows) => ({ kind: 'ran', outcomes: rows.map(() => ({ part: null })), ...work }));
  const rows = pictures(3);
  const onReport = ({ model, rows }: CallReport) => sample.offer({ model, rows: rows.map(({ row }) => row), ms: 1 });
  await run(lane, rows, { onReport });
  await turn(); // Of the loop: reports come behind results.
  assert.deepEqual(
    rows.map(({ row }) => bytesOf(row)),
    [0, 0, 0],
  );
  const sampled = sample.calls.flatMap((call) => call.rows);
  assert.deepEqual(sampled.map(bytesOf), [pixels, pixels, pixels]);
  assert.ok(sampled.every(({ tensors }) => tensors['x']?.data.every((value) => value === 7)));
});

test('a call that the model refused is halved with all of its pixels', async () => {
  const seen: (number | undefined)[] = [];
  const lane = laneOf((rows) => {
    seen.push(...rows.map(({ row }) => bytesOf(row)));
    if (rows.length > 1) return { kind: 'failed', reason: 'told to fail', outOfMemory: false };
    return { kind: 'ran', outcomes: [{ part: null }], ...work };
  });
  await run(lane, pictures(6));
  assert.ok(seen.length > 6, `${seen.length} rows were sent`);
  assert.ok(seen.every((bytes) => bytes === pixels));
});

test('a call that the model refused is not halved on a lane that has let go of the model', async () => {
  const had: boolean[] = [];
  const lane = laneOf((rows) => {
    const models = lane.models as Map<string, LoadedModel>;
    had.push(models.has('m'));
    if (had.length > 1) return { kind: 'ran', outcomes: rows.map(() => ({ part: null })), ...work };
    models.clear();
    setImmediate(() => models.set('m', { writes: null }));
    return { kind: 'failed', reason: 'told to fail', outOfMemory: false };
  });
  await run(lane, pictures(4));
  assert.ok(had.length > 1 && !had.includes(false), `${had}`);
});

test('of a call the clock is learned, and the own work that its lane tells', async () => {
  const learned: (number | undefined)[][] = [];
  const watched = {
    ...cost,
    observe: (...call: Parameters<typeof cost.observe>) => learned.push(call.slice(1) as number[]),
  };
  const lane = laneOf(() => ({ kind: 'ran', outcomes: [{ part: null }], ...work, wallMs: 9, cpuMs: 5 }));
  await run(lane, pictures(1), {}, watched);
  await turn();
  assert.deepEqual(learned, [[1, 10, 9, 5]]);
});

test('a call is noted once it is sent, and what was learned of it behind the write of its results', async () => {
  const order: string[] = [];
  const lane = laneOf((rows) => {
    order.push('sent');
    return { kind: 'ran', outcomes: rows.map(() => ({ part: null })), ...work };
  });
  const events: SchedulerEvents = {
    ...nothing,
    onCall: () => order.push('noted'),
    onRow: () => setImmediate(() => order.push('written')),
    onReport: () => order.push('learned'),
  };
  await run(lane, pictures(1), events);
  await turn();
  assert.deepEqual(order, ['sent', 'noted', 'written', 'learned']);
});

test('a policy is told of a model that left', () => {
  const left: string[] = [];
  const policy = { choose: () => ({ rows: [] }), forget: (model: string) => left.push(model) };
  new Scheduler(policy, cost, nothing).forget('m');
  assert.deepEqual(left, ['m']);
});

test('of a model that left, what its calls of steps may hold is forgotten too', async () => {
  const admitted: number[] = [];
  const { promise: wasAskedTwice, resolve } = Promise.withResolvers<void>();
  const lane = {
    name: 'lane-0',
    models: new Map<string, LoadedModel>([['m', { writes: { slots: 4, isLockstep: false } }]]),
    idle: true,
    step: async (_model: string, { admit }: StepOrder): Promise<StepResult> => {
      admitted.push(admit.length);
      if (admitted.length === 2) resolve();
      lane.idle = admitted.length < 2;
      return { kind: 'failed', reason: 'Failed to allocate memory', outOfMemory: true };
    },
  };
  const scheduler = new Scheduler(new AdaptivePolicy(cost, { growth: grown }), cost, nothing);
  const offer = () => {
    if (admitted.length === 1) scheduler.forget('m');
    if (lane.idle) scheduler.dispatch(lane as Partial<Lane> as Lane);
  };
  const pool = { lanes: [lane], offer, countSuccess() {}, isLeaving: () => false };
  scheduler.attach(pool as unknown as LanePool);
  scheduler.add(pictures(4));
  await wasAskedTwice;
  assert.deepEqual(admitted, [4, 4]);
});
