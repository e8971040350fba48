/** Which stage traces name: of the spans without children the kind that took longest, be it work or waiting for one's turn. */
import { waitUntil } from '../../shared/testing/wait-until.ts';
import type { JaegerSpan, JaegerTrace, RunningJaeger } from '../tracing/jaeger.ts';
import { parentIdOf } from '../tracing/trace-tree.ts';

const waits = ['queue wait', 'batch wait'];

/** Of finished jobs, all together. `work` leaves waiting out: behind a slow stage everything waits. */
export async function slowestStage(
  jaeger: RunningJaeger,
  traceIds: readonly string[],
  among: 'work' | 'work and waiting' = 'work and waiting',
): Promise<string> {
  const total = new Map<string, number>();
  for (const traceId of traceIds)
    for (const { operationName, duration } of await leavesOf(jaeger, traceId))
      if (among !== 'work' || !waits.includes(operationName))
        total.set(operationName, (total.get(operationName) ?? 0) + duration);
  const [longest] = [...total].sort(([, a], [, b]) => b - a);
  return longest?.[0] ?? 'nothing';
}

async function leavesOf(jaeger: RunningJaeger, traceId: string): Promise<JaegerSpan[]> {
  let trace: JaegerTrace | null = null;
  await waitUntil('the trace has its end', async () => {
    trace = await jaeger.trace(traceId);
    return trace?.spans.some(({ operationName }) => operationName === 'finish') ?? false;
  });
  const { spans } = trace as unknown as JaegerTrace;
  const parents = new Set(spans.map(parentIdOf));
  return spans.filter(({ spanID }) => !parents.has(spanID));
}
