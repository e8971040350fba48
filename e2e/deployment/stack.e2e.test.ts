/**
 * The stack of docker-compose.yml without a container engine: its programs with the very environment of the file, on the
 * files of the image, with the secrets that `init` writes. Only addresses and folders are this machine's.
 */
import assert from 'node:assert/strict';
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { promisify } from 'node:util';
import pg from 'pg';
import { endProcess } from '../../shared/testing/end-process.ts';
import { freePort } from '../../shared/testing/free-port.ts';
import { skipWithoutPostgres, startTestPostgres, type TestPostgres } from '../../shared/testing/postgres.ts';
import { startTestRedis, type TestRedis } from '../../shared/testing/redis.ts';
import { waitUntil } from '../../shared/testing/wait-until.ts';
import { readComposeFile, root, type Service } from './compose-file.ts';
import { layOutProgram } from './dockerfile.ts';

const programs = ['api', 'worker', 'delivery', 'log', 'board'] as const;
const run = promisify(execFile);

describe('the stack of docker-compose.yml', { skip: skipWithoutPostgres() }, () => {
  const home = mkdtempSync(join(tmpdir(), 'millrace-stack-'));
  const folder = (name: string) => join(home, name);
  const children = new Map<string, ChildProcess>();
  const errors = new Map<string, string>();
  const ports: Record<string, number> = {};
  let redis: TestRedis;
  let postgres: TestPostgres;

  /** What the container would have, with its names and folders put here. */
  const environmentOf = (name: string, { environment = {} }: Service): Record<string, string> => {
    const own = { METRICS_PORT: ports[name], PORT: ports['api http'], ADMIN_PORT: ports['board http'] };
    const here = Object.entries(environment).map(([variable, value]) => {
      const moved = value
        .replace('/run/secrets', folder('secrets'))
        .replace(/^\/(data|models)$/, (path) => join(home, path))
        .replace('http://log:9465', `http://127.0.0.1:${ports['log http']}`);
      if (variable === 'PREDICTION_LOG_PORT') return [variable, String(ports['log http'])];
      return [variable, variable in own ? String(own[variable as keyof typeof own]) : moved];
    });
    return { ...Object.fromEntries(here), PATH: process.env['PATH'] ?? '', NODE_ENV: 'production' };
  };

  before(async () => {
    redis = await startTestRedis();
    postgres = await startTestPostgres();
    for (const name of ['app', 'data', 'models']) mkdirSync(folder(name));
    layOutProgram(folder('app'));
    symlinkSync(
      process.env['MILLRACE_IMAGE_PACKAGES'] ?? join(root, 'node_modules'),
      join(folder('app'), 'node_modules'),
    );
    await run(process.execPath, ['deploy/write-secrets.mjs', folder('secrets')], { cwd: folder('app') });
    // These two servers have no password.
    for (const [file, url] of [
      ['redis/url', redis.url],
      ['postgres/url', postgres.url],
    ] as const) {
      rmSync(join(folder('secrets'), file));
      writeFileSync(join(folder('secrets'), file), url);
    }
    for (const name of [...programs, 'api http', 'board http', 'log http']) ports[name] = await freePort();
    const { services } = readComposeFile();
    for (const name of programs) {
      const service = services[name] as Service;
      const [, file = ''] = service.command ?? [];
      const options = { cwd: folder('app'), env: environmentOf(name, service) };
      const child = spawn(process.execPath, [file], options);
      // Nobody starts it again here, as an engine would: a test that fails for that tells why it ended.
      for (const stream of [child.stdout, child.stderr])
        stream.on('data', (words) => errors.set(name, `${errors.get(name) ?? ''}${words}`.slice(-4000)));
      children.set(name, child);
    }
  });

  after(async () => {
    await Promise.all([...children.values()].map((child) => endProcess(child)));
    await Promise.all([redis.stop(), postgres.stop()]);
    rmSync(home, { recursive: true, force: true, maxRetries: 5 });
  });

  it('becomes healthy, as its own health checks see it', async () => {
    for (const name of programs) {
      const probe = ['deploy/probe.mjs', `http://127.0.0.1:${ports[name]}/readyz`];
      const isHealthy = () => run(process.execPath, probe, { cwd: folder('app') }).then(() => true);
      await waitUntil(`${name} is healthy`, isHealthy, 180_000);
      assert.equal(children.get(name)?.exitCode, null, `${name} is what answered:\n${errors.get(name)}`);
    }
  });

  it('does a job for who has the key that init wrote, and for nobody else', async () => {
    const keyFile = readFileSync(join(folder('secrets'), 'api/api-keys'), 'utf8').trim();
    const submit = (key: string) =>
      fetch(`http://127.0.0.1:${ports['api http']}/v1/jobs`, {
        method: 'POST',
        headers: { 'Content-Type': 'application/json', Prefer: 'wait=30', Authorization: `Bearer ${key}` },
        body: JSON.stringify({ task: 'token-classification', input: 'sour cream 20%' }),
      });
    assert.equal((await submit('not-the-key-at-all')).status, 401);
    const response = await submit(keyFile.replace(/^.*=/, ''));
    const job = (await response.json()) as { status: string; urls: { self: string } };
    assert.equal(job.status, 'succeeded', JSON.stringify(job));
    assert.match(job.urls.self, /^http:\/\/127\.0\.0\.1:8080\//, 'PUBLIC_URL of the file');
  });

  it('records the prediction in PostgreSQL', async () => {
    const client = new pg.Client({ connectionString: postgres.url });
    await client.connect();
    try {
      await waitUntil(
        'a row is there',
        async () => (await client.query('select count(*)::int as n from predictions')).rows[0].n === 1,
        180_000,
      );
    } finally {
      await client.end();
    }
  });

  it("asks for the admin token on the operators' pages", async () => {
    const response = await fetch(`http://127.0.0.1:${ports['board http']}/admin`, { redirect: 'manual' });
    assert.ok([302, 303, 401].includes(response.status), String(response.status));
  });

  it('stops within its grace period, each with status 0', async () => {
    const ends = [...children].map(async ([name, child]) => {
      assert.equal(await endProcess(child, 'SIGTERM'), 0, `${name}:\n${errors.get(name)}`);
    });
    await Promise.all(ends);
  });
});
