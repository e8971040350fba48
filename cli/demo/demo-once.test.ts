/** `npm run demo -- --once` as a stranger runs it: real processes, real models, an exit status that tells. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { freePort } from '../../shared/testing/free-port.ts';
import { root } from '../commands/run-tool.ts';
import { isAlive } from '../launcher/process-identity.ts';
import { temporaryFolder } from '../testing/launched-system.ts';

const folder = temporaryFolder();
after(() => folder.remove());

async function demoOnce(env: Record<string, string>): Promise<{ code: number | null; out: string; err: string }> {
  const child = spawn(process.execPath, [join(root, 'cli/bootstrap.mjs'), 'demo', '--once'], {
    env: { ...process.env, PORT: String(await freePort()), ADMIN_PORT: '0', NO_COLOR: '1', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let [out, err] = ['', ''];
  child.stdout.on('data', (chunk) => {
    out += chunk;
  });
  child.stderr.on('data', (chunk) => {
    err += chunk;
  });
  const code = await new Promise<number | null>((done) => child.once('close', done));
  return { code, out, err };
}

test('every sample of every installed model is right, and nothing is left running', async () => {
  const dataDir = join(folder.dir, 'all');
  const { code, out, err } = await demoOnce({ MILLRACE_DATA: dataDir });
  assert.equal(code, 0, out + err);
  const [, right, all] = /demo: (\d+) of (\d+) samples right; first result [\d.]+ s/.exec(out) ?? [];
  assert.ok(Number(right) >= 2 && right === all, out);
  assert.match(out, /✔ starter-asr-digits[\s\S]*out "seven two nine"[\s\S]*queue .* ms · .*batch of 1 · compute .* ms/);
  assert.match(out, /\[[^\]]+\]TYPE/);
  const log = readFileSync(join(dataDir, 'logs/workers.log'), 'utf8');
  const pids = [...log.matchAll(/"pid":(\d+)/g)].map(([, pid]) => Number(pid));
  assert.ok(pids.length > 0 && !pids.some(isAlive));
});

test('a model that can not be served is named with its reason, and the exit status is 1', async () => {
  const models = join(folder.dir, 'models');
  mkdirSync(join(models, 'torn/onnx'), { recursive: true });
  writeFileSync(join(models, 'torn/onnx/model.onnx'), 'no graph');
  const { code, out, err } = await demoOnce({ MILLRACE_DATA: join(folder.dir, 'torn'), MODELS_DIR: models });
  assert.equal(code, 1, out + err);
  assert.match(out, /✘ torn[^\n]*\n +not loaded: \S+/);
  assert.match(out, /✔ starter-ner-groceries/);
});
