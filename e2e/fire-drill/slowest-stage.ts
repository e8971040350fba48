/** Which stage a trace names: the span without children that took longest, be it work or waiting for one's turn. */
import { waitUntil } from '../../shared/testing/wait-until.ts';
import type { JaegerTrace, RunningJaeger } from '../tracing/jaeger.ts';
import { parentIdOf } from '../tracing/trace-tree.ts';

const waits = ['queue wait', 'batch wait'];

/** Of one finished job. `work` leaves waiting out: behind a slow stage everything waits. */
export async function slowestStage(
  jaeger: RunningJaeger,
  traceId: string,
  among: 'work' | 'work and waiting' = 'work and waiting',
): Promise<string> {
  let trace: JaegerTrace | null = null;
  await waitUntil('the trace has its end', async () => {
    trace = await jaeger.trace(traceId);
    return trace?.spans.some(({ operationName }) => operationName === 'finish') ?? false;
  });
  const { spans } = trace as unknown as JaegerTrace;
  const parents = new Set(spans.map(parentIdOf));
  const [longest] = spans
    .filter(({ spanID }) => !parents.has(spanID))
    .filter(({ operationName }) => among !== 'work' || !waits.includes(operationName))
    .sort((a, b) => b.duration - a.duration);
  return longest?.operationName ?? 'nothing';
}
