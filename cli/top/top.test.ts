import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { stripVTControlCharacters } from 'node:util';
import { findTool, missing } from '../../shared/testing/find-tool.ts';
import { freePort } from '../../shared/testing/free-port.ts';
import { waitUntil } from '../../shared/testing/wait-until.ts';
import { root } from '../commands/run-tool.ts';
import { createPaint } from '../terminal/paint.ts';
import { renderTop, time } from './render.ts';
import { increase, quantile, rate, Snapshot } from './snapshot.ts';
import { buildView } from './view.ts';

const plain = createPaint(false, {});

/** A page after `n` rounds: 10 jobs, 4 calls of 2.5 rows, 0.5 s of lane time each. */
function page(n: number, models = ['ner']): string {
  const lines = models.flatMap((model) => [
    `inference_queue_depth{queue="${model}.high",state="waiting",instance="1"} 7`,
    `inference_queue_depth{queue="${model}.high",state="waiting",instance="2"} 7`,
    `inference_queue_depth{queue="${model}.high",state="claimed",instance="1"} 3`,
    `inference_queue_oldest_seconds{queue="${model}.high",state="waiting"} 2.5`,
    `inference_jobs_admitted_total{model="${model}",class="high"} ${10 * n}`,
    `inference_items_total{model="${model}",outcome="succeeded",reason="none"} ${9 * n}`,
    `inference_items_total{model="${model}",outcome="failed",reason="bad \\"quote\\""} ${n}`,
    `inference_queue_wait_seconds_bucket{model="${model}",class="high",le="0.1"} ${5 * n}`,
    `inference_queue_wait_seconds_bucket{model="${model}",class="high",le="0.5"} ${10 * n}`,
    `inference_queue_wait_seconds_bucket{model="${model}",class="high",le="+Inf"} ${10 * n}`,
    `inference_model_workers{model="${model}",state="ready"} 1`,
    `inference_model_workers{model="${model}",state="failed"} 0`,
    `inference_batch_rows_sum{model="${model}"} ${10 * n}`,
    `inference_batch_rows_count{model="${model}"} ${4 * n}`,
    `inference_batch_units_total{model="${model}",kind="real"} ${75 * n}`,
    `inference_batch_units_total{model="${model}",kind="padding"} ${25 * n}`,
  ]);
  return [
    '# HELP inference_lanes Lanes',
    ...lines,
    `inference_lane_busy_seconds_total{lane="lane-0",instance="cpu-1",device="cpu"} ${0.5 * n}`,
    'inference_lanes{instance="cpu-1"} 2',
    'inference_lanes_alive{instance="cpu-1"} 1',
    'inference_admission_closed{reason="memory"} 1',
    'inference_redis_memory_bytes 1048576',
    'inference_prediction_log_lag_seconds 2.5',
    'inference_prediction_log_database_up 0',
    '',
  ].join('\n');
}
const at = (n: number, ms: number, models?: string[]) => new Snapshot([page(n, models)], ms);

describe('two readings', () => {
  it('give rates, and a process that started again counts from nothing', () => {
    assert.equal(rate(at(1, 0), at(3, 2000), 'inference_jobs_admitted_total'), 10);
    assert.equal(increase(at(5, 0), at(2, 1000), 'inference_jobs_admitted_total'), 20);
    assert.equal(rate(at(1, 5), at(1, 5), 'inference_jobs_admitted_total'), 0);
  });

  it('give quantiles of what happened in between, and none when nothing did', () => {
    const name = 'inference_queue_wait_seconds';
    assert.equal(quantile(at(1, 0), at(2, 1000), name, 0.5), 0.1);
    assert.equal(quantile(at(1, 0), at(2, 1000), name, 0.25), 0.05);
    assert.ok(Math.abs((quantile(at(1, 0), at(2, 1000), name, 0.75) ?? 0) - 0.3) < 1e-9);
    assert.equal(quantile(at(1, 0), at(1, 1000), name, 0.5), undefined);
    const beyond = new Snapshot(['h_bucket{le="1"} 0\nh_bucket{le="+Inf"} 5'], 0);
    assert.equal(quantile(new Snapshot([], 0), beyond, 'h', 0.9), 1, 'the last bound is all that is known');
  });

  it('become a view: a level that two APIs tell is told once, padding is a share', () => {
    const view = buildView(at(1, 0), at(2, 1000), [{ name: 'acme', unfinished: 10 }]);
    const [queue] = view.queues;
    assert.deepEqual([queue?.waiting, queue?.claimed, queue?.oldestSeconds, queue?.inPerSecond], [7, 3, 2.5, 10]);
    const [model] = view.models;
    assert.deepEqual([model?.states, model?.rowsPerCall, model?.paddingShare], [{ ready: 1 }, 2.5, 0.25]);
    assert.deepEqual(view.lanes, [{ lane: 'cpu-1/lane-0', device: 'cpu', busyShare: 0.5 }]);
    assert.deepEqual([view.endedPerSecond, view.closedFor], [{ failed: 1, succeeded: 9 }, ['memory']]);
    assert.deepEqual([view.lanesAlive, view.lanesWanted], [1, 2]);
  });
});

describe('the picture', () => {
  it('fits a terminal of 80 x 24 with any number of queues, in colour and without', () => {
    const many = Array.from({ length: 40 }, (_, i) => `a-model-with-a-rather-long-name-of-its-own-${i}`);
    const tenants = many.map((name, i) => ({ name, unfinished: i }));
    const view = buildView(at(1, 0, many), at(2, 1000, many), tenants);
    for (const paint of [plain, createPaint(true, {})]) {
      const lines = renderTop(view, { title: 'top '.repeat(30), columns: 80, rows: 24, paint });
      assert.ok(lines.length <= 24, `${lines.length} lines`);
      for (const line of lines) assert.ok(stripVTControlCharacters(line).length <= 80, line);
      for (const head of ['QUEUE', 'MODEL', 'LANE (1 of 2 alive)', 'TENANT'])
        assert.ok(
          lines.some((line) => stripVTControlCharacters(line).startsWith(head)),
          head,
        );
      assert.ok(lines.some((line) => /\.\.\. and \d+ more/.test(line)));
    }
  });

  it('keeps a name apart from what follows it, and the names of our own models whole on 80 columns', () => {
    const view = (model: string) => buildView(at(1, 0, [model]), at(2, 1000, [model]), []);
    const shown = (model: string) =>
      renderTop(view(model), { title: 'top', columns: 80, rows: 60, paint: plain }).join('\n');
    assert.match(shown('starter-ner-groceries'), /starter-ner-groceries +(1 ready|no worker)/);
    assert.match(shown('a-model-with-a-rather-long-name-of-its-own'), /a-model-with-a-\S* +(1 ready|no worker)/);
  });

  it('shows what an operator looks for, and says so when Redis can not be asked', () => {
    const view = buildView(at(1, 0), at(2, 1000), null);
    const text = renderTop(view, { title: 'top', columns: 100, rows: 60, paint: plain }).join('\n');
    assert.match(text, /7 waiting, 3 claimed, in 10\.0\/s/);
    assert.match(text, /door {3}CLOSED \(memory\)/);
    assert.match(text, /ner\.high +7 +3 +2\.5 s +10\.0 +100 ms +492 ms/);
    assert.match(text, /ner +1 ready +4\.0 +2\.5 +25 %/);
    assert.match(text, /predictions lag 2\.5 s, database AWAY/);
    assert.match(text, /cpu-1\/lane-0 +cpu +#{10}\.{10} +50 %/);
    assert.match(text, /Redis could not be asked/);
    assert.equal(text, stripVTControlCharacters(text));
  });

  it('names who has no connection to Redis, beside what the others know of it', () => {
    const redisLine = (...samples: string[]) => {
      const now = new Snapshot([[page(2), ...samples, ''].join('\n')], 1000);
      const frame = { title: 'top', columns: 100, rows: 60, paint: plain };
      return renderTop(buildView(at(1, 0), now, []), frame).find((line) => line.startsWith('redis'));
    };
    const ofRole = (role: string, value: number) =>
      `inference_redis_connected{role="${role}",instance="${role}-1"} ${value}`;
    assert.match(redisLine(ofRole('api', 1)) ?? '', /^redis {2}1 of \S+ MiB, write p99 - /);
    const starting = redisLine(ofRole('api', 1), ofRole('worker', 0), ofRole('log', 0)) ?? '';
    assert.match(starting, /^redis {2}1 of \S+ MiB, write p99 -, AWAY from log, worker /);
  });

  it('writes times as people say them', () => {
    assert.deepEqual([0.0004, 0.012, 3.14, 840, undefined].map(time), ['0.4 ms', '12 ms', '3.1 s', '14 min', '-']);
  });
});

describe('npm run top', () => {
  const servers: Server[] = [];
  let round = 0;
  after(() => {
    for (const server of servers) server.close().closeAllConnections();
  });

  const startPage = async (): Promise<string> => {
    const server = createServer((request, response) => {
      const isAllowed = request.url !== '/guarded' || request.headers.authorization === 'Bearer token-of-sixteen-chars';
      response.statusCode = isAllowed ? 200 : 401;
      response.end(page(++round));
    });
    servers.push(server);
    await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  };
  const run = async (args: string[], env: Record<string, string> = {}) => {
    const child = spawn(process.execPath, [join(root, 'cli/bootstrap.mjs'), 'top', ...args], {
      env: { ...process.env, MILLRACE_DATA: '/nonexistent', ...env },
    });
    let output = '';
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (output += chunk));
    const code = await new Promise((done) => child.once('close', done));
    return { code, output };
  };

  it('prints one plain picture with --once, from a page that may ask for the token', async () => {
    const url = await startPage();
    const { code, output } = await run(['--once', url]);
    assert.equal(code, 0, output);
    assert.match(output, /ner\.high +7 +3/);
    assert.match((await run(['--once', `${url}/guarded`])).output, /Set ADMIN_TOKEN/);
    const allowed = await run(['--once', `${url}/guarded`], { ADMIN_TOKEN: 'token-of-sixteen-chars' });
    assert.equal(allowed.code, 0, allowed.output);
  });

  it('refuses a word that it does not know, instead of watching for ever', async () => {
    const { code, output } = await run(['--onec']);
    assert.equal(code, 1);
    assert.match(output, /no "--onec"/);
  });

  it('says what to do when nobody answers', async () => {
    const { code, output } = await run(['--once'], { ADMIN_PORT: String(await freePort()) });
    assert.equal(code, 1);
    assert.match(output, /does not answer .*npm start/s);
  });

  it('draws on a terminal, ends with q, and leaves the screen as it was', {
    skip: missing('script', 'apt-get install bsdutils'),
  }, async () => {
    const command = `stty rows 24 cols 80; ${process.execPath} ${join(root, 'cli/bootstrap.mjs')} top ${await startPage()}`;
    const child = spawn(findTool('script') as string, ['-qefc', command, '/dev/null'], {
      env: { ...process.env, MILLRACE_DATA: '/nonexistent', TERM: 'xterm' },
    });
    let output = '';
    child.stdout.on('data', (chunk) => (output += chunk));
    await waitUntil('the picture is there', () => output.includes('TENANT'));
    assert.ok(output.includes('\u001b[?1049h'));
    child.stdin.write('q');
    // Not at its exit: what it wrote last may still be on its way.
    assert.equal(await new Promise((done) => child.once('close', done)), 0);
    assert.ok(output.trimEnd().endsWith('\u001b[?1049l'));
  });
});
