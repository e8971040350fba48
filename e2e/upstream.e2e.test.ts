/** A vision-language model behind a server, in a whole system: launcher, API, worker, commands, and a real server. */
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { runModels } from '../cli/models/testing/run-models.ts';
import type { Job } from '../shared/jobs/job.ts';
import { signalPid } from '../shared/processes/signal-pid.ts';
import { waitUntil } from '../shared/testing/wait-until.ts';
import { TestChatServer } from '../workers/upstream/testing/chat-server.ts';
import { type RunningSystem, startSystem } from './system/running-system.ts';
import { skipWithoutTransformers, TransformersServer } from './system/transformers-server.ts';

const picture = join(import.meta.dirname, '../models/zoo/starter-diagram/samples/countdown.png');
let system: RunningSystem;
let scripted: TestChatServer;
let dir: string;
let env: Record<string, string>;

before(async () => {
  dir = mkdtempSync(join(tmpdir(), 'millrace-upstream-'));
  mkdirSync(join(dir, 'home'));
  scripted = await TestChatServer.start();
  system = await startSystem({
    models: ['starter-ner-groceries'],
    env: { MODELS_DIR: join(dir, 'home'), MILLRACE_LANES: '1' },
  });
  const adminPort = new URL(system.adminUrl).port;
  env = { MODELS_DIR: join(dir, 'home'), MILLRACE_DATA: system.dataDir, ADMIN_PORT: adminPort };
});
after(async () => {
  await system?.stop();
  await scripted?.kill();
  rmSync(dir, { recursive: true, force: true });
});

const models = (...args: string[]) => runModels(args, env);
const submit = async (model: string, parameters: object, wait = 60) => {
  const response = await fetch(`${system.url}/v1/jobs`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json', ...(wait > 0 && { Prefer: `wait=${wait}` }) },
    body: JSON.stringify({ model, input: { data: readFileSync(picture).toString('base64') }, parameters }),
  });
  return { status: response.status, job: (await response.json()) as Job };
};
const read = async (job: Job) => (await (await fetch(job.urls.self)).json()) as Job;
const serve = async (id: string, url: string, model: string) => {
  const added = await models('add', '--upstream', url, '--model', model, '--as', id);
  assert.equal(added.code, 0, added.err);
  const loaded = await models('load', id);
  assert.match(loaded.out, new RegExp(`^${id}: ready, version 1$`, 'm'), loaded.err);
  // The API looks into the folders by itself, and takes one that has been at rest.
  const isReady = async () => {
    const { status } = (await (await fetch(`${system.url}/v1/models/${id}`)).json()) as { status: unknown };
    return status === 'ready';
  };
  await waitUntil('the API knows it', isReady, 180_000);
};

test('a Qwen3-VL that transformers serves fills image-to-text', { skip: skipWithoutTransformers() }, async () => {
  const server = await TransformersServer.start(dir);
  try {
    await serve('qwen', server.url, server.model);
    const { job } = await submit('qwen', { max_new_tokens: 12 });
    assert.equal(job.status, 'succeeded', JSON.stringify(job));
    const output = job.output as { generated_text: string; finish_reason: string; usage: Record<string, number> };
    assert.equal(output.finish_reason, 'length');
    assert.equal(output.usage['completion_tokens'], 12);
    assert.ok((output.usage['prompt_tokens'] ?? 0) > 200, 'picture and prompt were read');
    const again = await submit('qwen', { max_new_tokens: 12 });
    assert.deepEqual(again.job.output, job.output, 'written greedily');
    const other = await submit('qwen', { max_new_tokens: 12, prompt: 'How many boxes?' });
    assert.notEqual((other.job.output as typeof output).usage['prompt_tokens'], output.usage['prompt_tokens']);
    const read = await submit('qwen', { max_new_tokens: 12, format: 'mermaid' });
    assert.equal((read.job.output as { formatted: { error: { line: number } } }).formatted.error.line, 1);
    const strict = await submit('qwen', { max_new_tokens: 12, temperature: 1, top_k: 3 });
    assert.match(strict.job.error?.detail ?? '', /answered 422: Unexpected fields in the request: \{'top_k'\}/);
    const verified = await models('verify', 'qwen');
    assert.deepEqual([verified.code, /which answers/.test(verified.out)], [0, true], verified.out);
  } finally {
    await server.stop();
  }
});

test('a worker that is killed during a call leaves its job to the next, and blames nobody', async () => {
  await serve('vlm', scripted.url, 'tiny');
  const { status, job } = await submit('vlm', { prompt: 'wait 4000 say done' }, 0);
  assert.equal(status, 202, JSON.stringify(job));
  const asked = () => scripted.calls('wait 4000 say done');
  await waitUntil('it is asked', async () => (await asked()).length === 1, 180_000);
  for (const pid of system.pidsOf('worker')) signalPid(pid, 'SIGKILL');
  await waitUntil('the call was hung up', async () => (await asked())[0]?.aborted === true);
  await waitUntil('it ended', async () => (await read(job)).status === 'succeeded', 270_000);
  const ended = await read(job);
  assert.deepEqual([ended.attempts, (ended.output as { generated_text: string }).generated_text], [2, 'done']);
  const recorded = async () => {
    const { data } = (await (await fetch(`${system.url}/v1/predictions?model=vlm`)).json()) as { data: unknown[] };
    return JSON.stringify(data).includes('"generated_text":"done"');
  };
  await waitUntil('its prediction is recorded', recorded, 180_000);
});

test('a server that is dead leaves the system ready, and `ps` says what is wrong', async () => {
  await scripted.kill();
  const { job } = await submit('vlm', { prompt: 'say back' }, 0);
  await waitUntil('`ps` tells', async () => /vlm.*quarantined/.test((await models('ps')).out), 180_000);
  const ps = await models('ps');
  assert.match(ps.out, /✖ vlm: its server can not be used: ECONNREFUSED; tried again in \d+ s/);
  assert.equal((await fetch(`${system.url}/readyz`)).status, 200);
  await scripted.rise();
  await models('load', 'vlm');
  await waitUntil('the job ran', async () => (await read(job)).status === 'succeeded');
});
