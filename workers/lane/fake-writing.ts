/**
 * The part of the fake lane that writes token by token: a row takes as many steps as its context's `ms`, a step takes a
 * millisecond however many rows it has. In its third step a row does what its context says.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { FakeContext } from './fake-lane.ts';
import type { LaneOutcome, LaneReply, LaneRequest } from './lane-protocol.ts';

export const fakeSlots = 4;

interface FakeSequence {
  readonly context: FakeContext;
  steps: number;
}

const sequences = new Map<number, FakeSequence>();

export async function stepFake(
  { call, admit, evict, budgetMs }: Extract<LaneRequest, { type: 'step' }>,
  reply: (message: LaneReply) => void,
): Promise<void> {
  for (const id of evict) sequences.delete(id);
  for (const { id, row } of admit) sequences.set(id, { context: row.context as FakeContext, steps: 0 });
  if (sequences.size > 2 * fakeSlots) throw new Error('more rows than slots');
  const startedAt = performance.now();
  const finished: { id: number; outcome: LaneOutcome }[] = [];
  let [steps, lines] = [0, 0];
  while (sequences.size > 0 && finished.length === 0 && performance.now() - startedAt < budgetMs) {
    await sleep(1);
    steps++;
    lines += sequences.size;
    const acts = [...sequences.values()].filter((each) => ++each.steps === 3).map(({ context }) => context.does);
    if (acts.includes('kill')) process.kill(process.pid, 'SIGKILL');
    if (acts.includes('hang')) return;
    if (acts.includes('throw')) {
      sequences.clear();
      reply({ type: 'run-failed', call, reason: 'told to throw', outOfMemory: false });
      return;
    }
    for (const [id, { context, steps: taken }] of sequences) {
      if (taken < (context.ms ?? 1)) continue;
      finished.push({ id, outcome: outcomeOf(context, sequences.size) });
      sequences.delete(id);
    }
  }
  const computeMs = performance.now() - startedAt;
  const held = [...sequences.keys()];
  reply({ type: 'stepped', call, finished, held, steps, lines, tokens: lines, computeMs, stepMs: computeMs });
}

function outcomeOf({ does, says }: FakeContext, rows: number): LaneOutcome {
  if (does !== 'bad') return { json: JSON.stringify({ says, rows }) };
  return { problem: { type: '/problems/inference-failed', title: 'Inference failed', status: 422, detail: says } };
}
