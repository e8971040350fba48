/** A lane without a model, for tests: its calls take as long as its thread's share of a row's context says. */
import { setTimeout as sleep } from 'node:timers/promises';
import { unitOf } from '../../../models/repository/model-files.ts';
import type { LaneOptions, LaneReply, LaneRequest } from '../../lane/lane-protocol.ts';

/** Ms that a row takes, by threads of the lane. */
export type ThreadedContext = Readonly<Record<number, number>>;

const { threads } = JSON.parse(process.argv[2] ?? '{}') as LaneOptions;
const reply = (message: LaneReply) => process.send?.(message);

async function answer(request: LaneRequest): Promise<void> {
  if (request.type === 'load') {
    const model = unitOf(request.files);
    reply({ type: 'loaded', model, loadMs: 1, canaryMs: 1, memoryBytes: 1, writes: null });
  }
  if (request.type !== 'run') return;
  let ms = 0;
  for (const { row } of request.rows) ms += (row.context as ThreadedContext)[threads] ?? 1;
  await sleep(ms);
  const outcomes = request.rows.map(() => ({ part: null }));
  reply({ type: 'ran', call: request.call, outcomes, computeMs: ms, postprocessMs: 0 });
}

let tail: Promise<void> = Promise.resolve();
process.on('message', (request: LaneRequest) => {
  tail = tail.then(() => answer(request));
});
process.on('disconnect', () => process.exit(0));
