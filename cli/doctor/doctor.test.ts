/** Each check is broken once: it must be seen, with the measured value and something to type. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { chmodSync, cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer as createHttpServer } from 'node:http';
import type { AddressInfo, Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { freePort } from '../../shared/testing/free-port.ts';
import { skipWithoutPostgres, startTestPostgres } from '../../shared/testing/postgres.ts';
import { waitUntil } from '../../shared/testing/wait-until.ts';
import { root } from '../commands/run-tool.ts';
import { createPaint } from '../terminal/paint.ts';
import { checkDatabase, judgeDatabase } from './check-database.ts';
import { checkModelFolders } from './check-models.ts';
import { checkPort } from './check-ports.ts';
import { checkDevices, checkFfmpeg, checkNode, checkRedisServer } from './check-programs.ts';
import { type Finding, renderFindings } from './finding.ts';
import { assertBroken, find } from './testing/assert-finding.ts';

const dir = mkdtempSync(join(tmpdir(), 'millrace-doctor-'));
const servers: Server[] = [];
after(() => {
  for (const server of servers) server.close();
  rmSync(dir, { recursive: true, force: true });
});

async function listen(server: Server): Promise<number> {
  servers.push(server);
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  return (server.address() as AddressInfo).port;
}

describe('doctor: programs and devices', () => {
  it('names the command that installs what is missing', async () => {
    const env = { PATH: '/nowhere' };
    assertBroken(await checkFfmpeg(env), 'fail', /not found/, /ffmpeg/);
    assertBroken(await checkRedisServer(env), 'fail', /not found/, /redis-server/);
    assertBroken(checkNode('20.20.2'), 'fail', /20\.20\.2/, /Node 24/);
    assert.equal((await checkFfmpeg(process.env)).level, 'ok');
    assert.match((await checkRedisServer(process.env)).detail, /^\d+\.\d+\.\d+, not running/);
  });

  it('fails for a GPU without driver, for one too many, and without the CUDA files', async () => {
    assert.deepEqual(
      (await checkDevices(['cpu'], { PATH: '/nowhere' })).map(({ level }) => level),
      ['ok'],
    );
    assertBroken((await checkDevices(['cuda:0'], { PATH: '/nowhere' }))[0] as Finding, 'fail', /nvidia-smi/, /=cpu/);
    const bin = join(dir, 'bin');
    mkdirSync(bin);
    writeFileSync(join(bin, 'nvidia-smi'), '#!/bin/sh\necho "NVIDIA H200, 143771 MiB, 570.1"\n');
    chmodSync(join(bin, 'nvidia-smi'), 0o755);
    const [first, second] = await checkDevices(['cuda:0', 'cuda:1'], { PATH: `${bin}:/bin` });
    assertBroken(first as Finding, 'fail', /H200.*CUDA files are missing/, /ONNXRUNTIME_NODE_INSTALL=cuda12/);
    assertBroken(second as Finding, 'fail', /there are 1 GPUs/, /cuda:0/);
  });
});

describe('doctor: ports, models, database', () => {
  it('tells a free port, ours, and a stranger apart', async () => {
    const wish = { setting: 'PORT', host: '127.0.0.1', mayRun: true };
    assert.match((await checkPort({ ...wish, port: await freePort() })).detail, /free/);
    const ours = await listen(createHttpServer((_request, response) => response.end('{"status":"ok"}')));
    assert.match((await checkPort({ ...wish, port: ours })).detail, /Millrace answers/);
    const another = await checkPort({ ...wish, mayRun: false, port: ours });
    assertBroken(another, 'fail', /another Millrace/, /PORT=\d+ npm start/);
    const strange = await listen(createHttpServer((_request, response) => response.end('hello')));
    assertBroken(await checkPort({ ...wish, port: strange }), 'fail', /in use/, /PORT=\d+ npm start/);
  });

  it('sees a model whose bytes are not those of its manifest, and a folder that is none', async () => {
    const folder = join(dir, 'models');
    cpSync(join(root, 'models/zoo/starter-ner-groceries'), join(folder, 'ner'), {
      recursive: true,
      filter: (from) => !from.includes('/training'),
    });
    assert.equal(find(await checkModelFolders([folder]), 'model ner').level, 'ok');
    writeFileSync(join(folder, 'ner/1/tokenizer.json'), ' ', { flag: 'a' });
    mkdirSync(join(folder, 'empty'));
    const findings = await checkModelFolders([folder]);
    assertBroken(find(findings, 'model ner'), 'fail', /tokenizer\.json has sha256/, /Fetch/);
    assertBroken(find(findings, 'model empty'), 'fail', /./, /ls -la/);
    assertBroken(find(await checkModelFolders([join(dir, 'bin')]), 'models'), 'warn', /none/, /models -- pull/);
    const nowhere = join(dir, 'nowhere');
    assertBroken(find(await checkModelFolders([nowhere]), 'models'), 'fail', /not there/, /^mkdir -p/);
    assertBroken(find(await checkModelFolders([nowhere], false), 'models'), 'warn', /none/, /models -- pull/);
  });

  it('finds a real PostgreSQL well', { skip: skipWithoutPostgres() }, async () => {
    const postgres = await startTestPostgres();
    try {
      let finding: Finding | undefined;
      await waitUntil('it is well', async () => {
        [finding] = await checkDatabase(postgres.url);
        return finding?.level === 'ok';
      });
      assert.match(finding?.detail ?? '', /^\d+\.\d+.* at 127\.0\.0\.1:\d+, \d+\.\d ms a query$/);
    } finally {
      await postgres.stop();
    }
  });

  it('says what keeps a database from being used', async () => {
    const [away] = await checkDatabase(`postgres://me:hidden@127.0.0.1:${await freePort()}/db`);
    assertBroken(away as Finding, 'fail', /ECONNREFUSED/, /psql/);
    assert.doesNotMatch(JSON.stringify(away), /hidden/);
    const facts = { number: 150_000, version: '15.1', may_create: true, is_replica: false };
    assert.equal(judgeDatabase('db', facts, 1).level, 'ok');
    assertBroken(judgeDatabase('db', { ...facts, number: 130_000 }, 1), 'fail', /14 is the least/, /Upgrade/);
    assertBroken(judgeDatabase('db', { ...facts, is_replica: true }, 1), 'fail', /replica/, /primary/);
    assertBroken(judgeDatabase('db', { ...facts, may_create: false }, 1), 'fail', /can not be made/, /GRANT CREATE/);
  });
});

describe('npm run doctor', () => {
  const runDoctor = async (args: string[], env: Record<string, string>) => {
    const child = spawn(process.execPath, [join(root, 'cli/bootstrap.mjs'), 'doctor', ...args], {
      env: { ...process.env, ...env, NO_COLOR: '1' },
    });
    let output = '';
    child.stdout.on('data', (chunk) => (output += chunk));
    const code = await new Promise<number | null>((done) => child.once('close', done));
    return { code, output };
  };
  const env = async () => ({
    MILLRACE_DATA: join(dir, 'cli'),
    PORT: String(await freePort()),
    ADMIN_PORT: String(await freePort()),
  });

  it('ends with 0 when all is well, as lines or as JSON', async () => {
    const lines = await runDoctor([], await env());
    assert.equal(lines.code, 0, lines.output);
    assert.match(lines.output, /^ok {4}node {2,}24\./m);
    const json = await runDoctor(['--json'], await env());
    assert.equal(JSON.parse(json.output).ok, true);
  });

  it('ends with 1 and every fault of the settings, and still looks at what does not depend on them', async () => {
    const { code, output } = await runDoctor([], { PORT: 'eighty', MILLRACE_LANES: '-1' });
    assert.equal(code, 1);
    assert.match(output, /FAIL {2}settings {2,}PORT: /);
    assert.match(output, /FAIL {2}settings {2,}MILLRACE_LANES: /);
    assert.match(output, /fix: .*unset PORT/);
    assert.match(output, /ok {4}ffmpeg/);
  });
});

it('a report says how many are to be mended', () => {
  const text = renderFindings(
    'doctor',
    [
      { name: 'a', level: 'ok', detail: 'fine', fix: null },
      { name: 'long', level: 'fail', detail: 'gone', fix: 'bring it back' },
    ],
    createPaint(false, {}),
  );
  assert.equal(
    text,
    'ok    a     fine\nFAIL  long  gone\n            fix: bring it back\n\ndoctor: 1 to mend, 0 to look at, 1 well\n',
  );
});
