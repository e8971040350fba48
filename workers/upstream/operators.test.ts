/** What operators decide about a model behind a server: its key, its URL, what is recorded; and what none may see. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { RecordedSpans } from '../../shared/testing/recorded-spans.ts';
import { waitUntil } from '../../shared/testing/wait-until.ts';
import { TestChatServer } from './testing/chat-server.ts';
import { UpstreamLab, upstreamModel } from './testing/upstream-lab.ts';

const key = 'sk-secret-0123456789';
const variable = 'MILLRACE_TEST_UPSTREAM_KEY';
const tracing = new RecordedSpans();
let open: TestChatServer;
let locked: TestChatServer;
let lab: UpstreamLab;

const moved = (url: string) => upstreamModel('moved', url, { max_concurrency: 2 });
const lockedModel = () => upstreamModel('locked', locked.url, { api_key_env: variable });

before(async () => {
  delete process.env[variable];
  open = await TestChatServer.start();
  locked = await TestChatServer.start({ key });
  // Nobody listens at port 9, `discard`.
  lab = await UpstreamLab.start({ models: [lockedModel(), moved('http://127.0.0.1:9')], tracing });
});
after(async () => {
  delete process.env[variable];
  await lab?.stop();
  await open?.kill();
  await locked?.kill();
});

test('a key that is missing or wrong fails the model until it is there, and is shown nowhere', async () => {
  assert.match((await lab.until('locked', 'failed')) ?? '', new RegExp(`${variable} is not set where the worker runs`));
  process.env[`${variable}_FILE`] = '/nowhere/key';
  await lab.load('locked');
  const saysUnread = () => lab.worker.models.get('locked')?.error ?? '';
  await waitUntil('the file is told', () => /_FILE names a file that can not be read \(ENOENT\)/.test(saysUnread()));
  assert.equal(lab.worker.models.get('locked')?.state, 'failed');
  assert.ok(!saysUnread().includes('nowhere'), 'its path is shown');
  delete process.env[`${variable}_FILE`];
  process.env[variable] = 'sk-wrong-0123456789';
  await lab.load('locked');
  const saysWrong = () => /answers 401: the key is missing or wrong/.test(lab.worker.models.get('locked')?.error ?? '');
  await waitUntil('the wrong key is told', saysWrong);
  process.env[variable] = key;
  await lab.load('locked');
  await lab.until('locked', 'ready');
  await waitUntil('jobs are taken', async () => (await lab.submit('locked', 'say hi')).status === 202);
  // The server repeats the key in its refusal.
  const refused = await lab.ended('locked', `status 400 invalid_request_error bad key ${key} here`);
  assert.match(refused.error?.detail ?? '', /answered 400: bad key … here\.?$/);
  const shown = JSON.stringify([[...lab.worker.models], refused.error, tracing.spans, await lab.registry.metrics()]);
  for (const secret of [key, 'sk-wrong']) assert.ok(!shown.includes(secret), 'a key is shown');
});

test('rows that wait for a server that is not there run at the next one, when the manifest names it', async () => {
  await lab.until('moved', 'quarantined');
  const { job } = await lab.submit('moved', 'say hello');
  await lab.worker.update({ models: [lockedModel(), moved(open.url)], broken: [] });
  await lab.until('moved', 'ready');
  assert.equal((await lab.end(job.id)).status, 'succeeded');
  // Those that were claimed for a server that was there, and left.
  await open.kill();
  const claimed = await lab.submit('moved', 'say again');
  await waitUntil('it is claimed', async () => (await lab.client.read(claimed.job.id)).job.status === 'processing');
  const other = await TestChatServer.start();
  await lab.worker.update({ models: [lockedModel(), moved(other.url)], broken: [] });
  assert.equal((await lab.end(claimed.job.id)).status, 'succeeded');
  await other.kill();
  await open.rise();
  await lab.worker.update({ models: [lockedModel(), moved(open.url)], broken: [] });
  await lab.until('moved', 'ready', 30_000);
});

test('rows that a server took over go on when that one is replaced, too', async (t) => {
  const [first, second] = [await TestChatServer.start(), await TestChatServer.start()];
  t.after(() => Promise.all([first.kill(), second.kill()]));
  await open.kill();
  const { job } = await lab.submit('moved', 'wait 6000 twice');
  await waitUntil('it is claimed', async () => (await lab.client.read(job.id)).job.status === 'processing');
  await lab.worker.update({ models: [lockedModel(), moved(first.url)], broken: [] });
  await waitUntil('the first has it', async () => (await first.calls('wait 6000 twice')).length === 1);
  await lab.worker.update({ models: [lockedModel(), moved(second.url)], broken: [] });
  assert.equal((await lab.end(job.id)).status, 'succeeded');
  assert.equal((await second.calls('wait 6000 twice')).length, 1);
  // On a connection that was kept: one that only broke would be asked again.
  assert.deepEqual(
    (await first.calls('wait 6000 twice')).map(({ aborted }) => aborted),
    [true],
  );
  await open.rise();
  await lab.worker.update({ models: [lockedModel(), moved(open.url)], broken: [] });
  // The last one of the two servers is let go of when the next is ready.
  await waitUntil('it serves', async () => (await lab.ended('moved', 'say back')).status === 'succeeded');
});

test('a redirect is not followed: it would carry the key elsewhere', async () => {
  await locked.mode('status 307', { location: `${open.url}/v1/chat/completions` });
  const { job } = await lab.submit('locked', 'say carried');
  assert.match((await lab.until('locked', 'failed')) ?? '', /answers 307, and redirects are not followed/);
  assert.equal((await open.calls('say carried')).length, 0);
  await locked.mode(null);
  assert.equal((await lab.end(job.id)).status, 'succeeded');
});

test('a recorded job has a span of its call, with tokens, and the server gets its trace', async () => {
  const job = await lab.ended('moved', 'say traced');
  const call = tracing.named('upstream call').find(({ links }) => links?.[0]?.traceId === job.trace_id);
  assert.ok(call, 'no span links to the job');
  assert.equal(call.attributes?.['gen_ai.usage.output_tokens'], 7);
  assert.equal(call.attributes?.['millrace.upstream.result'], 'answered');
  const names = tracing.spans.filter(({ traceId }) => traceId === job.trace_id).map(({ name }) => name);
  for (const name of ['queue wait', 'prepare', 'batch wait', 'compute', 'finish'])
    assert.ok(names.includes(name), name);
  const [seen] = await open.calls('say traced');
  assert.ok(String(seen?.headers['traceparent']).includes(String(job.trace_id)));
});

test('GET /v1/models tells what runs elsewhere, and not where', async () => {
  const response = await fetch(`${lab.api.url}/v1/models/locked`);
  const text = await response.text();
  const model = JSON.parse(text) as { upstream: unknown; dtype?: string; input: string };
  assert.deepEqual(
    [model.upstream, model.dtype, model.input],
    [{ kind: 'openai-chat', model: 'tiny' }, undefined, 'image'],
  );
  assert.ok(!text.includes(String(locked.port)) && !text.includes(variable));
});
