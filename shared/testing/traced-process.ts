/** A process like ours with nothing but tracing, for tests: records 1,000 spans, says so, and waits to be stopped. */
import { mintSpanId, mintTraceId } from '../observability/trace-context.ts';
import { boot, bootMetrics, bootTracing } from '../processes/boot.ts';

const booted = boot('test');
const registry = await bootMetrics('test', booted);
const tracing = await bootTracing('test', booted, registry);
const common = { name: 'x', kind: 'internal', traceId: mintTraceId(), startMs: 1, endMs: 2 } as const;
tracing.record(Array.from({ length: 1000 }, () => ({ ...common, spanId: mintSpanId() })));
process.stdout.write('recorded\n');
