/** The verbs of `models` on a model that a server elsewhere runs: written, shown, checked against a real server. */
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { parse } from 'yaml';
import { freePort } from '../../shared/testing/free-port.ts';
import { TestChatServer } from '../../workers/upstream/testing/chat-server.ts';
import { runModels } from './testing/run-models.ts';

const key = 'sk-0123456789abcdef';
let server: TestChatServer;
let dir: string;
let env: Record<string, string>;
before(async () => {
  server = await TestChatServer.start({ key });
  dir = mkdtempSync(join(tmpdir(), 'millrace-upstream-cli-'));
  env = { MODELS_DIR: join(dir, 'home'), MILLRACE_DATA: join(dir, 'data'), ADMIN_PORT: String(await freePort()) };
});
after(async () => {
  await server.kill();
  rmSync(dir, { recursive: true, force: true });
});
const models = (args: string[], more: Record<string, string> = {}) => runModels(args, { ...env, ...more });
const add = (...more: string[]) => models(['add', '--upstream', server.url, '--model', 'Qwen/Qwen3-VL-8B', ...more]);

test('add writes a manifest, which list and show tell of and rm takes away', async () => {
  const added = await add('--as', 'vlm', '--api-key-env', 'VLM_KEY', '--max-concurrency', '16', '--licence', 'MIT');
  assert.equal(added.code, 0, added.err);
  assert.match(added.out, /^vlm: version 1, image-to-text, Qwen\/Qwen3-VL-8B at http:\/\/127\.0\.0\.1:\d+\/v1, in /m);
  assert.deepEqual(parse(readFileSync(join(dir, 'home/vlm/manifest.yaml'), 'utf8')), {
    task: 'image-to-text',
    licence: 'MIT',
    upstream: {
      kind: 'openai-chat',
      url: server.url,
      model: 'Qwen/Qwen3-VL-8B',
      api_key_env: 'VLM_KEY',
      max_concurrency: 16,
    },
  });
  assert.match((await models(['list'])).out, /^vlm +1 +image-to-text +openai-chat /m);
  const shown = await models(['show', 'vlm']);
  assert.match(shown.out, /runs at +http\S+\/v1 \(openai-chat\)\s+as +Qwen\/Qwen3-VL-8B\s+key +in VLM_KEY/);
  assert.doesNotMatch(shown.out, /sha256|dtype/);
  assert.match(
    (await add('--as', 'vlm')).err,
    /is there already\. Edit its manifest\.yaml[\s\S]*fix: .*models -- rm vlm/,
  );
  assert.equal((await models(['rm', 'vlm'])).code, 0);
  assert.deepEqual(readdirSync(join(dir, 'home')), []);
});

test('add names what is wrong or missing, and leaves nothing behind', async () => {
  assert.match((await models(['add'])).err, /Name a folder, or a server/);
  assert.match((await models(['add', '--upstream', server.url])).err, /--model names the model there/);
  assert.match((await add('--task', 'text-ranking', '--as', 'x')).err, /text-ranking can not be served by an upstream/);
  assert.match((await add('--max-concurrency', '0', '--as', 'x')).err, /upstream\.max_concurrency/);
  const keyed = await models(['add', '--upstream', 'http://me:secret@vllm', '--model', 'm']);
  assert.match(keyed.err, /upstream\.url: names a user/);
  assert.match((await models(['add', '--upstream', 'vllm', '--model', 'm'])).err, /upstream\.url: Invalid URL\.\n/);
  assert.deepEqual(readdirSync(join(dir, 'home')), []);
});

test('verify asks the server: its key, its answer, its list of models', async () => {
  await add('--as', 'vlm', '--api-key-env', 'VLM_KEY');
  const verify = (more: Record<string, string> = {}) => models(['verify', 'vlm'], more);
  const without = await verify();
  assert.deepEqual(
    [without.code, /FAIL {2}model vlm {2}VLM_KEY, which .* is not set here/.test(without.out)],
    [1, true],
  );
  const wrong = await verify({ VLM_KEY: 'sk-wrong-wrong-wrong' });
  assert.match(wrong.out, /FAIL {2}model vlm .* answers 401: the key is missing or wrong/);
  assert.doesNotMatch(wrong.out, /sk-wrong/);
  writeFileSync(join(dir, 'key'), `${key}\n`);
  const right = await verify({ VLM_KEY_FILE: join(dir, 'key') });
  assert.deepEqual([right.code, /ok +model vlm .*which answers/.test(right.out)], [0, true], right.out);
  const unreadable = await verify({ VLM_KEY_FILE: join(dir, 'no-key') });
  assert.match(unreadable.out, /VLM_KEY_FILE names a file that can not be read \(ENOENT\)\.\s+fix: ls -l/);
  await server.kill();
  assert.match((await verify({ VLM_KEY: key })).out, /does not answer: ECONNREFUSED\.\s+fix: curl -sS http/);
  await server.rise();
});

test('a manifest that mixes a server with files, or has a prompt that no format has, is broken with the reason', async () => {
  const told = async (manifest: string) => {
    mkdirSync(join(dir, 'home/mixed'), { recursive: true });
    writeFileSync(join(dir, 'home/mixed/manifest.yaml'), manifest);
    return (await models(['verify', 'mixed'])).out;
  };
  const head = 'task: image-to-text\nupstream:\n  kind: openai-chat\n  url: http://vllm:8000/v1\n  model: m\n';
  assert.match(await told(`${head}dtype: q8\n`), /dtype tell of files, and the model runs at its upstream/);
  assert.match(await told(`${head}  prompts: { jsn: x }\n`), /no prompt "jsn"; did you mean "json"\? Prompts: text, /);
  assert.match(await told(`${head}  concurrency: 3\n`), /upstream: unknown key "concurrency"/);
  assert.match(await told(`${head}  api_key_env: sk-abc\n`), /api_key_env: is a variable such as VLLM_API_KEY, never/);
});
