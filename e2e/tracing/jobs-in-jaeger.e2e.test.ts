/** One trace per job of each kind, whole, in a real Jaeger 2. */
import assert from 'node:assert/strict';
import { rmSync } from 'node:fs';
import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, describe, it } from 'node:test';
import { signalPid } from '../../shared/processes/signal-pid.ts';
import { missing } from '../../shared/testing/find-tool.ts';
import { freePort } from '../../shared/testing/free-port.ts';
import { waitUntil } from '../../shared/testing/wait-until.ts';
import { startReceiver } from '../../workers/webhooks/testing/receiver.ts';
import { type JaegerTrace, tagOf } from './jaeger.ts';
import { drawTree, edgesOf, faultsOf, linksOf, parentIdOf, spanNamed, spansNamed } from './trace-tree.ts';
import {
  image,
  imageModel,
  imageModels,
  skipWithoutImages,
  speech,
  speechModel,
  TracedSystem,
  textModel,
} from './traced-system.ts';

const api = ['POST /v1/jobs > admission', 'POST /v1/jobs > read request'];
const run = ['POST /v1/jobs > queue wait', 'POST /v1/jobs > run'];
const call = ['run > batch wait', 'run > compute', 'run > finish', 'run > postprocess', 'run > prepare'];
const wholeJob = [' > POST /v1/jobs', ...api, ...run, ...call].sort();
const whole = { 'POST /v1/jobs': 1, run: 1, finish: 1 };

describe('a job in Jaeger', { skip: missing('jaeger', '../shared/tools/get jaeger'), timeout: 600_000 }, () => {
  let traced: TracedSystem;
  /** Never answers: a job whose input is here stays in preparation. */
  let silent: Server;
  let silentUrl: string;
  const held: ServerResponse[] = [];
  let modelsDir: string | undefined;

  before(async () => {
    silent = createServer((_request, response) => void held.push(response));
    await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
    silentUrl = `http://127.0.0.1:${(silent.address() as AddressInfo).port}/input.wav`;
    const env = { MILLRACE_ALLOW_HOSTS: '127.0.0.0/8', OTEL_TRACES_EXPORTER: 'jaeger' };
    const exporter = ({ thriftHttp }: { thriftHttp: string }) => ({ OTEL_EXPORTER_JAEGER_ENDPOINT: thriftHttp });
    const models = skipWithoutImages() ? [textModel, speechModel] : [textModel, speechModel, imageModel];
    if (models.includes(imageModel)) modelsDir = imageModels();
    traced = await TracedSystem.start(exporter, models, {
      env: { ...env, ...(modelsDir && { MODELS_DIR: modelsDir }) },
    });
  });
  after(async () => {
    silent?.closeAllConnections();
    silent?.close();
    await traced?.stop();
    if (modelsDir) rmSync(modelsDir, { recursive: true, force: true });
  });

  /** Checks that the engine call and the compute span name each other; gives the call's trace. */
  async function checkLinks(trace: JaegerTrace): Promise<JaegerTrace[]> {
    const calls: JaegerTrace[] = [];
    for (const compute of spansNamed(trace, 'compute')) {
      const [link] = linksOf(compute);
      assert.ok(link, 'a compute span links to its call');
      const engine = await traced.traceWith(link.traceID, { 'engine call': 1 });
      const [span] = engine.spans;
      assert.equal(span?.spanID, link.spanID);
      const back = linksOf(span).some(({ traceID, spanID }) => traceID === trace.traceID && spanID === compute.spanID);
      assert.ok(back, 'the call links back to the compute span');
      calls.push(engine);
    }
    return calls;
  }

  it('shows a text as one tree from request to finish, and its engine call with numbers', async () => {
    const job = await traced.run({ model: textModel, input: 'milk 3.2% 1l' });
    const trace = await traced.traceWith(job.trace_id, whole);
    assert.deepEqual(faultsOf(trace), []);
    assert.deepEqual(edgesOf(trace), wholeJob, drawTree(trace));
    const root = spanNamed(trace, 'POST /v1/jobs');
    assert.equal(tagOf(root, 'http.response.status_code'), 200);
    assert.equal(tagOf(root, 'millrace.job.id'), job.id);
    assert.equal(tagOf(root, 'millrace.tenant'), 'default');
    assert.equal(tagOf(spanNamed(trace, 'run'), 'millrace.outcome'), 'succeeded');
    const [engine] = await checkLinks(trace);
    const span = engine?.spans[0];
    assert.ok(span);
    assert.equal(tagOf(span, 'millrace.model'), textModel);
    for (const name of ['rows', 'units', 'units_padded', 'predicted_ms', 'measured_ms', 'jobs'])
      assert.ok(Number(tagOf(span, `millrace.batch.${name}`)) > 0, name);
    assert.match(String(tagOf(span, 'millrace.lane')), /^lane-/);
    assert.equal(tagOf(span, 'millrace.device'), 'cpu');
    assert.equal(tagOf(span, 'millrace.class'), 'normal');
    const services = Object.values(trace.processes).map(({ serviceName }) => serviceName);
    assert.deepEqual([...new Set(services)].sort(), ['millrace-api', 'millrace-worker']);
  });

  it('shows speech, and jobs that share a call with a link each', async () => {
    const jobs = await Promise.all(
      Array.from({ length: 6 }, () => traced.run({ model: speechModel, input: speech() })),
    );
    let shared = 0;
    for (const job of jobs) {
      const trace = await traced.traceWith(job.trace_id, whole);
      assert.deepEqual(faultsOf(trace), []);
      for (const name of ['prepare', 'compute', 'finish']) spanNamed(trace, name);
      for (const { spans } of await checkLinks(trace)) {
        const [engine] = spans;
        assert.ok(engine);
        assert.equal(linksOf(engine).length, tagOf(engine, 'millrace.batch.jobs'), 'a link per job on board');
        shared = Math.max(shared, linksOf(engine).length);
      }
    }
    assert.ok(shared >= 1);
  });

  it('shows an image, decoded in a thread', { skip: skipWithoutImages() }, async () => {
    const job = await traced.run({ model: imageModel, input: image() });
    assert.equal(job.status, 'succeeded');
    const trace = await traced.traceWith(job.trace_id, whole);
    assert.deepEqual(faultsOf(trace), []);
    assert.deepEqual(edgesOf(trace), wholeJob, drawTree(trace));
    await checkLinks(trace);
  });

  it('bounds the spans of a job with many items and keeps the sums', async () => {
    const inputs = Array.from({ length: 100 }, (_, i) => `milk ${i}% 1l`);
    const job = await traced.run({ model: textModel, inputs });
    const trace = await traced.traceWith(job.trace_id, whole);
    assert.deepEqual(faultsOf(trace), []);
    assert.ok(trace.spans.length < 90, `${trace.spans.length} spans`);
    assert.equal(spansNamed(trace, 'prepare').length, 16);
    const span = spanNamed(trace, 'run');
    assert.equal(tagOf(span, 'millrace.items.succeeded'), 100);
    assert.equal(tagOf(span, 'millrace.rows'), 100);
    assert.ok(Number(tagOf(span, 'millrace.details_omitted')) >= 84);
    await checkLinks(trace);
  });

  it('names the problem of an item that fails, and marks the job when none is left', async () => {
    const missingUrl = `http://127.0.0.1:${await freePort()}/nothing.wav`;
    const some = await traced.run({ model: speechModel, inputs: [speech(), { url: missingUrl }] });
    const mixed = await traced.traceWith(some.trace_id, whole);
    const failed = spansNamed(mixed, 'prepare').find((span) => tagOf(span, 'error') === true);
    assert.ok(failed, drawTree(mixed));
    const span = spanNamed(mixed, 'run');
    assert.equal(tagOf(span, 'error'), undefined);
    const event = span.logs[0]?.fields ?? [];
    assert.ok(
      event.some(({ key, value }) => key === 'event' && value === 'item failed'),
      JSON.stringify(event),
    );
    const job = await traced.run({ model: speechModel, input: { url: missingUrl } });
    assert.equal(job.status, 'failed');
    const none = await traced.traceWith(job.trace_id, whole);
    assert.deepEqual(faultsOf(none), []);
    assert.equal(tagOf(spanNamed(none, 'run'), 'error'), true);
    assert.equal(tagOf(spanNamed(none, 'run'), 'millrace.problem'), tagOf(failed, 'otel.status_description'));
    assert.doesNotMatch(JSON.stringify(none), /nothing\.wav/, 'no URL in a span');
  });

  it('shows a canceled job, and the request that canceled it with a link to it', async () => {
    const response = await traced.submit({ model: speechModel, input: { url: silentUrl } });
    const { id, trace_id } = (await response.json()) as { id: string; trace_id: string };
    await waitUntil('the job is in preparation', async () => (await traced.read(id)).status === 'processing');
    const canceled = await fetch(`${traced.system.url}/v1/jobs/${id}/cancel`, { method: 'POST' });
    assert.equal(canceled.status, 200);
    const trace = await traced.traceWith(trace_id, { cancel: 1, run: 1 });
    assert.deepEqual(faultsOf(trace), []);
    assert.equal(tagOf(spanNamed(trace, 'run'), 'millrace.outcome'), 'elsewhere');
    const other = canceled.headers.get('traceparent')?.split('-')[1] as string;
    const request = await traced.traceWith(other, { 'POST /v1/jobs/:id/cancel': 1 });
    assert.equal(linksOf(spanNamed(request, 'POST /v1/jobs/:id/cancel'))[0]?.traceID, trace_id);
  });

  it('shows an expired job as an error without a run', async () => {
    const [worker] = traced.system.pidsOf('worker');
    assert.ok(worker);
    signalPid(worker, 'SIGSTOP');
    try {
      const response = await traced.submit({ model: textModel, input: 'milk', expires_in: 1 });
      const { id, trace_id } = (await response.json()) as { id: string; trace_id: string };
      assert.equal((await traced.outcome(id)).status, 'expired');
      const trace = await traced.traceWith(trace_id, { expire: 1, 'POST /v1/jobs': 1 });
      assert.deepEqual(faultsOf(trace), []);
      assert.equal(tagOf(spanNamed(trace, 'expire'), 'error'), true);
      assert.equal(spansNamed(trace, 'run').length, 0);
    } finally {
      signalPid(worker, 'SIGCONT');
    }
  });

  it('shows each webhook attempt, and names it to the receiver; a caller decides and stays the root', async () => {
    const receiver = await startReceiver();
    let answers = 0;
    receiver.answer = (response) => {
      response.statusCode = answers++ === 0 ? 500 : 200;
      response.end();
    };
    try {
      const callerId = 'b7ad6b7169203331';
      const traceId = '0af7651916cd43dd8448eb211c80319c';
      const traceparent = `00-${traceId}-${callerId}-01`;
      const webhook = { url: `${receiver.url}?key=hidden`, events: ['succeeded'] };
      const job = await traced.run({ model: textModel, input: 'milk 1l', webhook }, { traceparent });
      assert.equal(job.trace_id, traceId);
      const trace = await traced.traceWith(traceId, { ...whole, 'webhook attempt': 2 });
      assert.deepEqual(faultsOf(trace, callerId), []);
      const attempts = spansNamed(trace, 'webhook attempt').sort((a, b) => a.startTime - b.startTime);
      assert.deepEqual(
        attempts.map((span) => tagOf(span, 'http.response.status_code')),
        [500, 200],
      );
      assert.deepEqual(
        attempts.map((span) => tagOf(span, 'error')),
        [true, undefined],
      );
      const named = receiver.received.map(({ headers }) => headers['traceparent']);
      assert.deepEqual(
        named,
        attempts.map(({ spanID }) => `00-${traceId}-${spanID}-01`),
      );
      assert.equal(parentIdOf(spanNamed(trace, 'POST /v1/jobs')), callerId);
      assert.doesNotMatch(JSON.stringify(trace), /hidden/);
    } finally {
      await receiver.stop();
    }
  });

  it('shows the attempt that was lost with its worker, and the one that came after', async () => {
    const answered = held.length;
    const response = await traced.submit({ model: speechModel, input: { url: silentUrl }, timeout: 60 });
    const { id, trace_id } = (await response.json()) as { id: string; trace_id: string };
    await waitUntil('the worker fetches the input', () => held.length > answered);
    for (const pid of traced.system.pidsOf('worker')) signalPid(pid, 'SIGKILL');
    await waitUntil('another worker fetches it', () => held.length > answered + 1, 120_000);
    held.at(-1)?.writeHead(404).end();
    assert.equal((await traced.outcome(id)).status, 'failed');
    const trace = await traced.traceWith(trace_id, whole);
    assert.deepEqual(faultsOf(trace), []);
    assert.equal(tagOf(spanNamed(trace, 'run'), 'millrace.attempt'), 2);
    assert.equal(tagOf(spanNamed(trace, 'lost attempts'), 'otel.status_description'), 'worker-lost');
    spanNamed(trace, 'queue wait');
  });

  it('makes no trace that is not a change or an engine call', async () => {
    await fetch(`${traced.system.url}/v1/models`);
    await fetch(`${traced.system.url}/livez`);
    const roots = new Set<string>();
    for (const service of ['millrace-api', 'millrace-worker', 'millrace-delivery'])
      for (const trace of await traced.jaeger.tracesOf(service))
        for (const span of trace.spans) if (!parentIdOf(span)) roots.add(span.operationName);
    assert.deepEqual([...roots].sort(), ['POST /v1/jobs', 'POST /v1/jobs/:id/cancel', 'engine call']);
  });
});
