/**
 * A lane without a model, for tests: speaks the lane protocol and does what a row's context says. `echo` gives it back,
 * `kill` ends the process by SIGKILL, `hang` never answers, `throw` makes the call fail, `bad` fails that row alone.
 */
import type { LaneOutcome, LaneReply, LaneRequest } from './lane-protocol.ts';

export interface FakeContext {
  readonly does: 'echo' | 'kill' | 'hang' | 'throw' | 'bad';
  readonly says: string;
  /** Ms that the row adds to its call. */
  readonly ms?: number;
}

const reply = (message: LaneReply) => process.send?.(message);

async function run(request: Extract<LaneRequest, { type: 'run' }>): Promise<void> {
  const contexts = request.rows.map(({ row }) => row.context as FakeContext);
  const does = new Set(contexts.map((context) => context.does));
  if (does.has('kill')) process.kill(process.pid, 'SIGKILL');
  if (does.has('hang')) return;
  const ms = contexts.reduce((sum, context) => sum + (context.ms ?? 1), 0);
  await new Promise((resolve) => setTimeout(resolve, ms));
  if (does.has('throw')) {
    reply({ type: 'run-failed', call: request.call, reason: 'told to throw', outOfMemory: false });
    return;
  }
  const outcomes = contexts.map((context): LaneOutcome => {
    if (context.does === 'bad')
      return {
        problem: { type: '/problems/inference-failed', title: 'Inference failed', status: 422, detail: context.says },
      };
    return { json: JSON.stringify({ says: context.says, rows: contexts.length }) };
  });
  reply({ type: 'ran', call: request.call, outcomes, computeMs: ms });
}

process.on('message', (request: LaneRequest) => {
  if (request.type === 'load') {
    if (request.files.id === 'kills-on-load') process.kill(process.pid, 'SIGKILL');
    else if (request.files.id === 'fails-to-load')
      reply({ type: 'load-failed', model: request.files.id, reason: 'told to fail' });
    else reply({ type: 'loaded', model: request.files.id, loadMs: 1, canaryMs: 1 });
  }
  if (request.type === 'run') void run(request);
});
process.on('disconnect', () => process.exit(0));
