/** Reads a trace of Jaeger as a tree, and says what is wrong with it. */
import { type JaegerSpan, type JaegerTrace, tagOf } from './jaeger.ts';

/** Redis' clock counts whole ms, and the processes' clocks are put right to one. */
const clockToleranceUs = 3000;

export function parentIdOf(span: JaegerSpan): string | undefined {
  return span.references.find(({ refType, traceID }) => refType === 'CHILD_OF' && traceID === span.traceID)?.spanID;
}

/** Links to other traces. */
export function linksOf(span: JaegerSpan): { traceID: string; spanID: string }[] {
  return span.references.filter(({ refType }) => refType === 'FOLLOWS_FROM');
}

export function spansNamed(trace: JaegerTrace, name: string): JaegerSpan[] {
  return trace.spans.filter(({ operationName }) => operationName === name);
}

export function spanNamed(trace: JaegerTrace, name: string): JaegerSpan {
  const [first] = spansNamed(trace, name);
  if (!first) throw new Error(`There is no span "${name}" in:\n${drawTree(trace)}`);
  return first;
}

/** One line a span, children indented, with the service that sent it. */
export function drawTree(trace: JaegerTrace): string {
  const lines: string[] = [];
  const draw = (span: JaegerSpan, depth: number) => {
    const service = trace.processes[span.processID]?.serviceName ?? '?';
    const error = tagOf(span, 'error') === true ? ` !${String(tagOf(span, 'otel.status_description'))}` : '';
    lines.push(
      `${'  '.repeat(depth)}${span.operationName} (${service}) ${(span.duration / 1000).toFixed(1)} ms${error}`,
    );
    for (const child of childrenOf(trace, span)) draw(child, depth + 1);
  };
  for (const root of rootsOf(trace)) draw(root, 0);
  return lines.join('\n');
}

/** Parent and child names, sorted: `run > compute`. */
export function edgesOf(trace: JaegerTrace): string[] {
  const names = new Map(trace.spans.map((span) => [span.spanID, span.operationName]));
  return trace.spans.map((span) => `${names.get(parentIdOf(span) ?? '') ?? ''} > ${span.operationName}`).sort();
}

/** Orphans, further roots, and children that began before their parents. `callerId`: the span of a caller's own. */
export function faultsOf(trace: JaegerTrace, callerId?: string): string[] {
  const byId = new Map(trace.spans.map((span) => [span.spanID, span]));
  const faults: string[] = [];
  if (byId.size !== trace.spans.length) faults.push('two spans have one id');
  const roots = rootsOf(trace, callerId);
  if (roots.length !== 1) faults.push(`${roots.length} roots: ${roots.map(({ operationName }) => operationName)}`);
  for (const span of trace.spans) {
    const parentId = parentIdOf(span);
    const parent = byId.get(parentId ?? '');
    if (parentId !== undefined && parentId !== callerId && !parent) faults.push(`orphan: ${span.operationName}`);
    if (parent && span.startTime < parent.startTime - clockToleranceUs)
      faults.push(`${span.operationName} began before ${parent.operationName}`);
  }
  return faults;
}

function rootsOf(trace: JaegerTrace, callerId?: string): JaegerSpan[] {
  const ids = new Set(trace.spans.map(({ spanID }) => spanID));
  return trace.spans.filter((span) => {
    const parentId = parentIdOf(span);
    return parentId === undefined || parentId === callerId || !ids.has(parentId);
  });
}

function childrenOf(trace: JaegerTrace, { spanID }: JaegerSpan): JaegerSpan[] {
  return trace.spans.filter((span) => parentIdOf(span) === spanID).sort((a, b) => a.startTime - b.startTime);
}
