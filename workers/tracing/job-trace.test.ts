import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ModelFiles } from '../../models/repository/model-files.ts';
import type { StartedClaim } from '../../shared/jobs/store/words.ts';
import { headTraceparent } from '../../shared/observability/trace-context.ts';
import { RecordedSpans } from '../../shared/testing/recorded-spans.ts';
import { JobTrace } from './job-trace.ts';

function follow(tracing: RecordedSpans, items: number): JobTrace {
  const request = { items, priority: 'normal', traceparent: headTraceparent(undefined, 1) };
  const claim = {
    ref: { tenant: 'default', id: 'job_1' },
    request,
    attempts: 1,
    crashes: 0,
    createdMs: 1,
    startedMs: 2,
    finishedItems: new Set(),
  };
  return JobTrace.follow(
    tracing,
    claim as unknown as StartedClaim,
    { id: 'm', version: '1' } as ModelFiles,
  ) as JobTrace;
}

test('items of a canceled job that come too late add nothing to its trace', () => {
  const tracing = new RecordedSpans();
  const trace = follow(tracing, 256);
  trace.settled(0, 'succeeded', 'none', performance.now(), 'late');
  trace.end();
  const names = tracing.spans.map(({ name }) => name);
  assert.deepEqual(names, ['queue wait', 'run', 'finish']);
  for (let item = 1; item < 256; item++) trace.settled(item, 'succeeded', 'none', performance.now(), 'late');
  assert.equal(tracing.spans.length, names.length);
});

test('a job shows sixteen items, and counts the others', () => {
  const tracing = new RecordedSpans();
  const trace = follow(tracing, 256);
  for (let item = 0; item < 256; item++) trace.prepared(item, performance.now(), 1);
  trace.end();
  assert.equal(tracing.named('prepare').length, 16);
  assert.equal(tracing.named('run')[0]?.attributes?.['millrace.details_omitted'], 240);
});
