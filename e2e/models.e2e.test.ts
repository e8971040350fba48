/** Models that come and go under a running system: launcher, API, workers, lanes and commands as a user has them. */
import assert from 'node:assert/strict';
import { cpSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { runModels } from '../cli/models/testing/run-models.ts';
import type { Job } from '../shared/jobs/job.ts';
import { waitUntil } from '../shared/testing/wait-until.ts';
import { type RunningSystem, startSystem } from './system/running-system.ts';

const starter = join(import.meta.dirname, '../models/zoo/starter-ner-groceries');
let system: RunningSystem;
let dir: string;
let home: string;
let env: Record<string, string>;

before(async () => {
  dir = mkdtempSync(join(tmpdir(), 'millrace-models-'));
  home = join(dir, 'home');
  system = await startSystem({
    models: ['starter-ner-groceries'],
    env: { MODELS_DIR: home, MILLRACE_LANES: '2', MILLRACE_PREDICTIONS: 'off' },
  });
  const adminPort = new URL(system.adminUrl).port;
  env = { MODELS_DIR: home, MILLRACE_DATA: system.dataDir, ADMIN_PORT: adminPort };
});
after(async () => {
  await system?.stop();
  rmSync(dir, { recursive: true, force: true });
});

const models = (...args: string[]) => runModels(args, env);
const submit = async (model: string, wait = 30) => {
  const response = await fetch(`${system.url}/v1/jobs`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json', ...(wait > 0 && { Prefer: `wait=${wait}` }) },
    body: JSON.stringify({ model, input: 'молоко 1л' }),
  });
  return { status: response.status, job: (await response.json()) as Job & { detail?: string } };
};
const versionThatRuns = async (model: string) => {
  const { job } = await submit(model);
  assert.equal(job.status, 'succeeded', JSON.stringify(job));
  return job.model_version;
};
const seen = async (id: string) => {
  const response = await fetch(`${system.url}/v1/models/${id}`);
  return (await response.json()) as { status: string; error: string | null; version: string; versions: string[] };
};
const until = (what: string, isSo: (model: Awaited<ReturnType<typeof seen>>) => boolean) =>
  waitUntil(what, async () => isSo(await seen('ner')), 180_000);

test('a folder that is added is loaded and serves, and `ps` shows where', async () => {
  const added = await models('add', join(starter, '1'), '--as', 'ner');
  assert.equal(added.code, 0, added.err);
  const loaded = await models('load', 'ner');
  assert.equal(loaded.code, 0, loaded.err);
  assert.match(loaded.out, /^ner: ready, version 1$/m);
  // That is the workers' word; an API process looks into the folders by itself, up to two looks later.
  await until('the API lists it', ({ status }) => status === 'ready');
  assert.equal(await versionThatRuns('ner'), '1');
  // `load` answers when the first lane has it.
  const onBothLanes = /^ner {2,}1 {2,}ready {2,}cpu \S+ {2,}2 x 1 {2,}[\d.]+ [kM]B {2,}20\S+Z {2,}0$/m;
  const shows = async () => {
    const ps = await models('ps');
    return ps.code === 0 && onBothLanes.test(ps.out);
  };
  await waitUntil('`ps` shows it on both lanes', shows, 180_000);
});

test('a version folder that is dropped in takes over, and both serve when the policy says so', async () => {
  cpSync(join(home, 'ner/1'), join(home, 'ner/.2'), { recursive: true });
  renameSync(join(home, 'ner/.2'), join(home, 'ner/2'));
  await until('version 2 is listed', ({ version, status }) => version === '2' && status === 'ready');
  await waitUntil('version 2 runs', async () => (await versionThatRuns('ner')) === '2', 180_000);
  const manifest = readFileSync(join(home, 'ner/manifest.yaml'), 'utf8');
  writeFileSync(join(home, 'ner/manifest.yaml'), `${manifest}version_policy: all\n`);
  await until('both are listed', ({ versions }) => versions.join() === '2,1');
  assert.deepEqual([await versionThatRuns('ner@1'), await versionThatRuns('ner')], ['1', '2']);
});

test('a version that can not be loaded leaves what serves, and API and command say why', async () => {
  cpSync(join(home, 'ner/2'), join(home, 'ner/3'), { recursive: true });
  writeFileSync(join(home, 'ner/3/onnx/model_quantized.onnx'), 'version https://git-lfs.github.com/spec/v1');
  await until('the error is told', ({ error }) =>
    /version 3: 3\/onnx\/model_quantized\.onnx is not an ONNX file/.test(error ?? ''),
  );
  assert.equal((await seen('ner')).status, 'ready');
  assert.equal(await versionThatRuns('ner'), '2');
  // What the API knows of it may be half a second old.
  await waitUntil('its jobs are refused', async () => (await submit('ner@3', 0)).status === 503);
  const [ps, show] = [await models('ps'), await models('show', 'ner')];
  assert.match(ps.out, /✖ ner: version 3: 3\/onnx\/model_quantized\.onnx is not an ONNX file/);
  assert.match(show.out, /error .*version 3/);
  assert.deepEqual([ps.code, show.code], [1, 1]);
  const verify = await models('verify', 'ner');
  assert.deepEqual([verify.code, /FAIL {2}model ner/.test(verify.out)], [1, true]);
  const removed = await models('rm', 'ner@3');
  assert.equal(removed.code, 0, removed.err);
  await until('the error is gone', ({ error }) => error === null);
});

test('a model that is unloaded takes no job and leaves the lanes; loaded again it serves', async () => {
  const unloaded = await models('unload', 'ner');
  assert.equal(unloaded.code, 0, unloaded.err);
  await until('it is told', ({ status }) => status === 'unloaded');
  await waitUntil('new jobs are refused', async () => (await submit('ner', 0)).status === 503);
  assert.match((await submit('ner', 0)).job.detail ?? '', /unloaded by an operator at .*models load ner/);
  assert.equal((await models('load', 'ner')).code, 0);
  await waitUntil('jobs are taken', async () => (await submit('ner', 0)).status === 202);
  assert.equal(await versionThatRuns('ner'), '2');
});

test('a model that is removed is gone, and the others serve on', async () => {
  assert.equal((await models('rm', 'ner')).code, 0);
  await waitUntil('it is unknown', async () => (await submit('ner', 0)).status === 422);
  assert.equal(await versionThatRuns('starter-ner-groceries'), '1');
  const kept = await models('rm', 'starter-ner-groceries');
  assert.match(
    kept.err,
    /not in the model home .*: it stays\.\n\s+fix: npm run models -- unload starter-ner-groceries/,
  );
});
