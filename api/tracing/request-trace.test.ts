/** What the API records of a request, and of what it does to jobs. */
import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, it } from 'node:test';
import { parseTraceparent } from '../../shared/observability/trace-context.ts';
import type { Span } from '../../shared/observability/tracing/span.ts';
import { RecordedSpans } from '../../shared/testing/recorded-spans.ts';
import { startTestRedis, type TestRedis } from '../../shared/testing/redis.ts';
import { waitUntil } from '../../shared/testing/wait-until.ts';
import { Client } from '../testing/client.ts';
import { startTestApi, type TestApi } from '../testing/test-api.ts';

const good = { task: 'token-classification', input: 'milk' };

describe('the trace of a request', () => {
  let server: TestRedis;
  let api: TestApi;
  let client: Client;
  let tracing: RecordedSpans;
  let quiet: RecordedSpans;
  let quietApi: TestApi;
  before(async () => {
    server = await startTestRedis();
    tracing = new RecordedSpans(1);
    quiet = new RecordedSpans(0);
    api = await startTestApi(server.url, { tracing, duties: true });
    quietApi = await startTestApi(server.url, { tracing: quiet });
    client = new Client(api.url);
  });
  after(async () => {
    await api.close();
    await quietApi.close();
    await server.stop();
  });
  beforeEach(() => tracing.spans.splice(0));

  const recorded = async (name: string): Promise<Span> => {
    await waitUntil(`a span "${name}"`, () => tracing.named(name).length > 0);
    return tracing.named(name)[0] as Span;
  };

  it('has the request as its root, with the stages below it, and the answer names it', async () => {
    const submitted = await client.submit(good);
    const root = await recorded('POST /v1/jobs');
    const named = parseTraceparent(submitted.headers.get('traceparent') ?? '');
    assert.deepEqual(named, { traceId: root.traceId, spanId: root.spanId, flags: '01' });
    assert.equal(submitted.job.trace_id, root.traceId);
    for (const name of ['read request', 'admission']) {
      const span = await recorded(name);
      assert.equal(span.parentId, root.spanId, name);
      assert.ok(span.startMs >= root.startMs && span.endMs >= span.startMs, name);
    }
    assert.equal(root.parentId, undefined);
    assert.equal(root.attributes?.['http.response.status_code'], 202);
    assert.equal(root.attributes?.['millrace.job.id'], submitted.job.id);
    assert.equal(root.attributes?.['millrace.model'], 'ner');
  });

  it('names the problem of a refusal and its stage, and is no error below 500', async () => {
    await client.submit({ task: 'token-classification' });
    const root = await recorded('POST /v1/jobs');
    assert.equal(root.attributes?.['millrace.problem'], 'validation-failed');
    assert.equal(root.error, undefined);
    assert.equal((await recorded('read request')).error, 'validation-failed');
  });

  it('is not begun by who only reads, but continued for a reader that is traced', async () => {
    await client.ask('/v1/models');
    await client.ask('/livez');
    const traceId = '0af7651916cd43dd8448eb211c80319c';
    await client.ask('/v1/models', { headers: { traceparent: `00-${traceId}-b7ad6b7169203331-01` } });
    const root = await recorded('GET /v1/models');
    assert.equal(root.parentId, 'b7ad6b7169203331');
    assert.deepEqual(
      tracing.spans.map((span) => span.traceId),
      [traceId],
    );
  });

  it('is linked to the job that an idempotency key led to, and by the request that cancels it', async () => {
    const key = { 'Idempotency-Key': 'the-same-key' };
    const first = await client.submit(good, key);
    await recorded('POST /v1/jobs');
    tracing.spans.splice(0);
    await client.submit(good, key);
    assert.equal((await recorded('POST /v1/jobs')).links?.[0]?.traceId, first.job.trace_id);
    await client.ask(`/v1/jobs/${first.job.id}/cancel`, { method: 'POST' });
    const request = await recorded('POST /v1/jobs/:id/cancel');
    assert.equal(request.links?.[0]?.traceId, first.job.trace_id);
    assert.equal((await recorded('cancel')).traceId, first.job.trace_id);
  });

  it('shows a job that expired before it started', async () => {
    const { job } = await client.submit({ ...good, expires_in: 0.1 });
    const span = await recorded('expire');
    assert.deepEqual([span.traceId, span.error], [job.trace_id, 'expired']);
  });

  it('is nothing at all for a request that was not chosen', async () => {
    const quietly = new Client(quietApi.url);
    const { job, headers } = await quietly.submit(good);
    await quietly.ask(`/v1/jobs/${job.id}/cancel`, { method: 'POST' });
    assert.match(headers.get('traceparent') ?? '', /-00$/);
    assert.match(job.trace_id ?? '', /^[0-9a-f]{32}$/);
    assert.deepEqual(quiet.spans, []);
  });
});
