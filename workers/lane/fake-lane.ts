/**
 * A lane without a model, for tests: speaks the lane protocol and does what a row's context says. `echo` gives it back,
 * with the sum of a tensor `pixels`, `kill` ends the process by SIGKILL, `hang` never answers, `throw` makes the call
 * fail, `bad` fails that row alone.
 * Models whose name begins with `writes` write token by token, in 4 slots (`fake-writing.ts`).
 * Models `kills-on-load`, `fails-to-load` and `loads-slowly` do so; `fails-at-first` loads the second time.
 * A revision `fails` fails too.
 */
import { type ModelFiles, unitOf } from '../../models/repository/model-files.ts';
import { receiveBulk } from './bulk-tensors.ts';
import { fakeSlots, stepFake } from './fake-writing.ts';
import type { LaneOutcome, LaneReply, LaneRequest } from './lane-protocol.ts';

export interface FakeContext {
  readonly does: 'echo' | 'kill' | 'hang' | 'throw' | 'bad';
  readonly says: string;
  /** Ms that the row adds to its call. */
  readonly ms?: number;
}

const reply = (message: LaneReply) => process.send?.(message);

async function run(request: Extract<LaneRequest, { type: 'run' }>): Promise<void> {
  const rows = receiveBulk(request.rows);
  const contexts = rows.map(({ row }) => row.context as FakeContext);
  const does = new Set(contexts.map((context) => context.does));
  if (does.has('kill')) process.kill(process.pid, 'SIGKILL');
  if (does.has('hang')) return;
  const ms = contexts.reduce((sum, context) => sum + (context.ms ?? 1), 0);
  await new Promise((resolve) => setTimeout(resolve, ms));
  if (does.has('throw')) {
    reply({ type: 'run-failed', call: request.call, reason: 'told to throw', outOfMemory: false });
    return;
  }
  const outcomes = contexts.map((context, at): LaneOutcome => {
    if (context.does === 'bad')
      return {
        problem: { type: '/problems/inference-failed', title: 'Inference failed', status: 422, detail: context.says },
      };
    const { pixels } = rows[at]?.row.tensors ?? {};
    const sees = pixels && { sees: sumOf(pixels.data) };
    return { json: JSON.stringify({ says: context.says, rows: contexts.length, ...sees }) };
  });
  reply({ type: 'ran', call: request.call, outcomes, computeMs: ms, postprocessMs: 0 });
}

function sumOf(values: Iterable<number>): number {
  let sum = 0;
  for (const value of values) sum += value;
  return sum;
}

async function load({ id, ...files }: ModelFiles): Promise<void> {
  const model = unitOf({ id, ...files });
  if (id === 'kills-on-load') process.kill(process.pid, 'SIGKILL');
  if (id === 'loads-slowly') await new Promise((resolve) => setTimeout(resolve, 400));
  if (id === 'fails-to-load' || files.revision === 'fails' || (id === 'fails-at-first' && !tried.has(id))) {
    tried.add(id);
    reply({ type: 'load-failed', model, reason: 'told to fail' });
    return;
  }
  loaded.add(model);
  const writes = id.startsWith('writes') ? { slots: fakeSlots, isLockstep: id.includes('together') } : null;
  reply({ type: 'loaded', model, loadMs: 1, canaryMs: 1, memoryBytes: 1, writes });
}

async function answer(request: LaneRequest): Promise<void> {
  if (request.type === 'load') await load(request.files);
  else if (request.type === 'unload') loaded.delete(request.model);
  else if (request.type === 'step') await stepFake(request, reply);
  else if (loaded.has(request.model)) await run(request);
  else reply({ type: 'run-failed', call: request.call, reason: 'not loaded here', outOfMemory: false });
}

const loaded = new Set<string>();
const tried = new Set<string>();
// In order, like the real one.
let tail: Promise<void> = Promise.resolve();
process.on('message', (request: LaneRequest) => {
  tail = tail.then(() => answer(request));
});
process.on('disconnect', () => process.exit(0));
