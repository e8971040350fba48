/** Models behind a server of chat completions, over our own API: what callers, operators and the server itself see. */
import assert from 'node:assert/strict';
import { after, before, beforeEach, test } from 'node:test';
import { waitUntil } from '../../shared/testing/wait-until.ts';
import { TestChatServer } from './testing/chat-server.ts';
import type { LoggedCall } from './testing/chat-server-main.ts';
import { UpstreamLab, upstreamModel } from './testing/upstream-lab.ts';

let server: TestChatServer;
let lab: UpstreamLab;

before(async () => {
  server = await TestChatServer.start();
  lab = await UpstreamLab.start({
    models: [
      upstreamModel('vlm', server.url, { max_concurrency: 8 }),
      upstreamModel('narrow', server.url, { max_concurrency: 2 }),
      upstreamModel('hasty', server.url, { timeout_seconds: 1 }),
    ],
  });
  await lab.until('vlm', 'ready');
});
after(async () => {
  await lab?.stop();
  await server?.kill();
});
beforeEach(async () => {
  await server.mode(null);
  await lab.until('vlm', 'ready', 30_000);
});

const slugOf = (job: { error?: { type: string } | null }) => job.error?.type.replace('/problems/', '');

test('a picture goes out as a JPEG of ours with the prompt, and the answer fills the contract', async () => {
  const parameters = { max_new_tokens: 50, stop: ['!'], seed: 3, top_p: 0.5 };
  const job = await lab.ended('vlm', 'say a mill! race', { parameters });
  assert.equal(job.status, 'succeeded', JSON.stringify(job));
  assert.deepEqual(job.output, {
    generated_text: 'a mill',
    finish_reason: 'stop',
    usage: { prompt_tokens: 100, completion_tokens: 7 },
  });
  const [call] = await server.calls('say a mill! race');
  const { messages, ...rest } = (call as LoggedCall).body;
  assert.deepEqual(rest, {
    model: 'tiny',
    stream: false,
    temperature: 0,
    max_tokens: 50,
    top_p: 0.5,
    seed: 3,
    stop: ['!'],
  });
  const [{ content }] = messages as [{ content: [{ image_url: { url: string } }, { text: string }] }];
  assert.equal(content[1].text, 'say a mill! race');
  assert.match(content[0].image_url.url, /^data:image\/jpeg;base64,\/9j\//);
});

test('connections are kept from call to call', async () => {
  for (let i = 0; i < 4; i++) await lab.ended('vlm', 'say again');
  const used = new Set((await server.calls('say again')).map(({ connection }) => connection));
  assert.equal(used.size, 1);
});

test('no more calls are under way than the manifest allows, and high ones go first', async () => {
  const low = await Promise.all(
    Array.from({ length: 6 }, () => lab.submit('narrow', 'wait 1000 low', { priority: 'low' })),
  );
  await waitUntil('two are under way', async () => (await server.calls('wait 1000 low')).length === 2);
  const high = await lab.submit('narrow', 'wait 1000 high', { priority: 'high' });
  const acceptedMs = performance.timeOrigin + performance.now();
  for (const { job } of [...low, high]) assert.equal((await lab.end(job.id)).status, 'succeeded');
  const calls = (await server.calls()).filter(({ prompt }) => prompt.startsWith('wait 1000'));
  const most = Math.max(...calls.map((call) => calls.filter((other) => overlaps(call, other)).length));
  assert.equal(most, 2);
  const place = calls.map(({ prompt }) => prompt).indexOf('wait 1000 high');
  // Of those that were not under way yet, two were claimed before it.
  const before = calls.slice(0, place).filter(({ startedMs }) => startedMs > acceptedMs);
  assert.ok(before.length <= 2, `${before.length} low ones were asked before the high one`);
});

function overlaps(a: { startedMs: number; endedMs: number | null }, b: typeof a): boolean {
  return a.startedMs <= b.startedMs && b.startedMs < (a.endedMs ?? 0);
}

test('a server that asks for patience is asked again after its Retry-After, and not before', async () => {
  await server.mode('status 429', { 'retry-after': '4' });
  const { job } = await lab.submit('vlm', 'say later');
  await waitUntil('it was asked', async () => (await server.calls('say later')).length > 0);
  await server.mode(null);
  assert.equal((await lab.end(job.id)).status, 'succeeded');
  const [first, second, ...more] = await server.calls('say later');
  const pausedMs = (second?.startedMs ?? 0) - (first?.startedMs ?? 0);
  assert.ok(pausedMs >= 4000 && pausedMs < 30_000, `asked again after ${pausedMs} ms`);
  assert.equal(more.length, 0);
});

test('jobs wait for a server that is dead, and run when it is back', async () => {
  await server.kill();
  const { job } = await lab.submit('vlm', 'say back');
  const error = await lab.until('vlm', 'quarantined');
  assert.match(error ?? '', /its server can not be used: ECONNREFUSED; tried again in \d+ s/);
  assert.equal((await lab.submit('vlm', 'say too')).status, 202, 'new jobs are taken');
  // More often than an item may break a server: a server that is away blames none.
  await waitUntil('it was tried six times', async () => {
    await lab.load('vlm');
    return (await lab.callsThatWere('away')) >= 6;
  });
  await server.rise();
  assert.equal((await lab.end(job.id)).status, 'succeeded');
  await lab.until('vlm', 'ready');
});

test('a job whose time is over fails as such though its server is dead', async () => {
  await server.kill();
  const job = await lab.ended('vlm', 'say never', { timeout: 2 });
  assert.equal(slugOf(job), 'run-timeout');
  await server.rise();
  // Until a call or a look succeeds, the next failure is followed by a pause as long as the last ones asked for: up to a minute.
  await lab.load('vlm');
  await lab.until('vlm', 'ready');
});

test('a call that takes too long is given up, and its item fails after four', async () => {
  const job = await lab.ended('hasty', 'wait 5000 slow');
  assert.equal(slugOf(job), 'upstream-failed');
  assert.match(job.error?.detail ?? '', /asked 4 times: no whole answer within 1 s/);
  assert.equal((await server.calls('wait 5000 slow')).length, 4);
});

test('the end of a job ends its call', async () => {
  const canceled = await lab.submit('vlm', 'wait 20000 canceled');
  const timed = await lab.submit('vlm', 'wait 20000 timed', { timeout: 8 });
  await waitUntil('it is asked', async () => (await server.calls('wait 20000 canceled')).length === 1);
  await lab.client.ask(`/v1/jobs/${canceled.job.id}/cancel`, { method: 'POST' });
  assert.equal(slugOf(await lab.end(timed.job.id)), 'run-timeout');
  for (const prompt of ['wait 20000 canceled', 'wait 20000 timed'])
    await waitUntil('it was hung up', async () => (await server.calls(prompt))[0]?.aborted === true);
  assert.equal((await lab.end(canceled.job.id)).status, 'canceled');
});

test('what the server breaks on is asked again, and then fails alone', async () => {
  const [bad, good] = await Promise.all([lab.submit('vlm', 'cut'), lab.submit('vlm', 'say good')]);
  assert.equal((await lab.end(good.job.id)).status, 'succeeded');
  const failed = await lab.end(bad.job.id);
  assert.equal(slugOf(failed), 'upstream-failed');
  assert.match(failed.error?.detail ?? '', /asked 4 times: its answer is no chat completion \(its body is not JSON/);
  assert.equal((await server.calls('cut')).length, 4);
});

test('what is the fault of the item is not asked again', async () => {
  const cases = [
    ['status 400 content_filter the picture violates our rules', 'content-refused'],
    ['filter', 'content-refused'],
    ["status 400 invalid_request_error This model's maximum context length is 4096 tokens", 'input-too-long'],
    ['status 413', 'image-too-large'],
    ['status 400 invalid_request_error Unrecognized request argument: seed', 'inference-failed'],
    ['flood', 'upstream-failed'],
  ] as const;
  for (const [prompt, slug] of cases) {
    const job = await lab.ended('vlm', prompt);
    assert.equal(slugOf(job), slug, prompt);
    assert.equal((await server.calls(prompt)).length, 1, prompt);
  }
  assert.equal(lab.worker.models.get('vlm')?.state, 'ready');
});

test('a server that denies fails the model, refuses new jobs and keeps those that it has', async () => {
  await server.mode('status 404 model_not_found');
  const { job } = await lab.submit('vlm', 'say kept');
  const error = await lab.until('vlm', 'failed');
  assert.match(error ?? '', /it answers 404: it has no such model, or no such URL/);
  await waitUntil('new jobs are refused', async () => (await lab.submit('vlm', 'say no')).status === 503);
  await server.mode(null);
  assert.equal((await lab.end(job.id)).status, 'succeeded');
});

test('counts calls by what came of them, tokens, and what is under way', async () => {
  const text = await lab.registry.metrics();
  for (const result of ['answered', 'busy', 'away', 'faulty', 'denied', 'item', 'dropped'])
    assert.match(text, new RegExp(`inference_upstream_calls_total\\{.*result="${result}".*\\} [1-9]`), result);
  assert.match(text, /inference_tokens_total\{.*model="vlm".*\} \d\d/);
  assert.match(text, /inference_compute_seconds_count\{.*model="vlm".*\} [1-9]/);
  await waitUntil('nothing is under way', async () =>
    /inference_upstream_rows\{.*state="under-way".*\} 0/.test(await lab.registry.metrics()),
  );
  assert.doesNotMatch(text, /inference_class_seconds_total\{.*\} [1-9]/, 'no lane was busy with it');
});
