/**
 * The log writer's promise against real deaths: of the writer, of PostgreSQL, of redis-server, and of a database that is
 * alive and answers nothing. Whatever ends meanwhile is in the record once.
 */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, afterEach, before, beforeEach, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { keys } from '../../shared/jobs/keys.ts';
import { endProcess } from '../../shared/testing/end-process.ts';
import { freePort } from '../../shared/testing/free-port.ts';
import { skipWithoutPostgres, startTestPostgres, type TestPostgres } from '../../shared/testing/postgres.ts';
import { startTestRedis, type TestRedis } from '../../shared/testing/redis.ts';
import { waitUntil } from '../../shared/testing/wait-until.ts';
import { LogLab } from './testing/log-lab.ts';

/** It gives way to all others (niceness 10): beside three busy loops on two cores its start alone took more than 30 s. */
const writerMs = 180_000;

describe('the log writer process', { skip: skipWithoutPostgres() }, () => {
  let server: TestRedis;
  let postgres: TestPostgres;
  let lab: LogLab;
  let writer: ChildProcess;
  let metricsPort: number;
  let produced: string[];

  before(async () => {
    postgres = await startTestPostgres();
  });
  after(() => postgres.stop());
  beforeEach(async () => {
    server = await startTestRedis();
    lab = await LogLab.open({ redisUrl: server.url });
    metricsPort = await freePort();
    produced = [];
    startWriter();
  });
  afterEach(async () => {
    await killWriter();
    await lab.close();
    await server.stop();
  });

  function startWriter(databaseUrl: string | undefined = postgres.url): void {
    writer = spawn(process.execPath, [join(import.meta.dirname, '../log-main.ts')], {
      stdio: process.env['LAB_LOG'] ? 'inherit' : 'ignore',
      env: {
        ...process.env,
        REDIS_URL: server.url,
        DATABASE_URL: databaseUrl ?? '',
        MILLRACE_DATA: lab.dataDir,
        METRICS_PORT: String(metricsPort),
        LOG_LEVEL: 'warn',
      },
    });
  }
  async function killWriter(): Promise<void> {
    await endProcess(writer);
  }

  /** Jobs end while `disturb` does its worst. An acknowledged end counts; one whose reply was lost may have happened. */
  async function produceWhile(disturb: () => Promise<void>): Promise<void> {
    const isOver = new AbortController();
    const producing = Array.from({ length: 8 }, async () => {
      while (!isOver.signal.aborted) {
        await lab.runJob().then(
          ({ id }) => produced.push(id),
          () => sleep(20),
        );
        await sleep(10); // Else this process takes the time in which the writer would write.
      }
    });
    try {
      await disturb();
    } finally {
      isOver.abort();
    }
    await Promise.all(producing);
  }

  async function recorded(): Promise<Map<string, number>> {
    const client = new pg.Client({ connectionString: postgres.url });
    client.on('error', () => {});
    await client.connect();
    try {
      const { rows } = await client.query('SELECT job, count(*)::integer AS n FROM millrace.predictions GROUP BY job');
      return new Map(rows.map(({ job, n }) => [job as string, n as number]));
    } finally {
      await client.end();
    }
  }

  async function untilAllRecorded(): Promise<void> {
    await waitUntil('the stream is empty', async () => (await lab.redis.xlen(keys.predictions)) === 0, writerMs);
    await waitUntil(
      'every job is recorded',
      async () => {
        const rows = await recorded();
        return produced.every((id) => rows.has(id));
      },
      180_000,
    );
    const rows = await recorded();
    assert.ok([...rows.values()].every((n) => n === 1));
  }

  const count = (n: number) => waitUntil(`${n} jobs ended`, () => produced.length >= n, writerMs);

  it('loses nothing and doubles nothing when it is killed again and again', async () => {
    await produceWhile(async () => {
      for (let round = 1; round <= 3; round++) {
        await waitUntil('it writes', async () => (await metric('rows_total')) > 0, writerMs);
        // In the middle of a batch that is never committed: what it has read is nowhere but in Redis.
        postgres.freeze(true);
        await count(produced.length + 100);
        await killWriter();
        await postgres.kill();
        await postgres.restart();
        startWriter();
      }
    });
    await untilAllRecorded();
  });

  it('loses nothing when PostgreSQL is killed, and itself while the database is away', async () => {
    await produceWhile(async () => {
      await count(300);
      await postgres.kill();
      await count(900);
      await killWriter();
      startWriter();
      await count(1200);
      await waitUntil('rows wait on disk', async () => (await metric('spool_bytes')) > 100_000, writerMs);
      assert.equal(await metric('database_up'), 0);
      assert.ok((await metric('lag_seconds')) > 0);
      await waitUntil('Redis stays small', async () => (await lab.redis.xlen(keys.predictions)) < 600, writerMs);
      await postgres.restart();
      await waitUntil('the database is up again', async () => (await metric('database_up')) === 1, writerMs);
    });
    await untilAllRecorded();
    // A file goes after its rows are there.
    await waitUntil('nothing is left on disk', async () => (await metric('spool_bytes')) === 0, writerMs);
  });

  it('loses nothing when redis-server is killed', async () => {
    await produceWhile(async () => {
      for (let round = 1; round <= 2; round++) {
        await count(round * 300);
        server.process().kill('SIGKILL');
        await server.restart();
      }
      await count(800);
    });
    await untilAllRecorded();
  });

  it('goes on without a database that is alive and answers nothing, in the same memory', async () => {
    await count0();
    const before = memoryMiB();
    await produceWhile(async () => {
      await count(200);
      postgres.freeze(true);
      // A statement that hangs is given up after 15 s of the server's time, or 17 s of ours.
      await waitUntil('rows wait on disk', async () => (await metric('spool_bytes')) > 0, writerMs);
      await count(produced.length + 1000);
      postgres.freeze(false);
    });
    await untilAllRecorded();
    assert.ok(memoryMiB() < before + 100, `${before} MiB before, ${memoryMiB()} after`);
  });

  it('loses nothing on the embedded database either, killed while it writes', async () => {
    await killWriter();
    startWriter('');
    await produceWhile(async () => {
      for (let round = 0; round < 3; round++) {
        const written = await metricOr('rows_total', 0);
        // Whoever asks has it opened at once.
        await waitUntil('it is asked and answers', async () => (await askCount()) >= 0, writerMs);
        await waitUntil('it writes', async () => (await metricOr('rows_total', 0)) > written, writerMs);
        await killWriter();
        startWriter('');
      }
    });
    await waitUntil('every job is recorded once', async () => (await askCount()) === new Set(produced).size, 270_000);
  });

  /** Rows of the embedded database, as its writer counts them for drift; throws while it is away. */
  async function askCount(): Promise<number> {
    const address = JSON.parse((await lab.redis.get(keys.predictionLog)) ?? 'null') as { url: string; token: string };
    const response = await fetch(`${address.url}/drift`, {
      method: 'POST',
      headers: { authorization: `Bearer ${address.token}` },
      body: JSON.stringify({ tenant: 'default', model: 'ner', windowSeconds: 3600, referenceSeconds: 3600 }),
    });
    const answer = (await response.json()) as { window: { predictions: number } };
    return answer.window.predictions;
  }

  async function metricOr(name: string, otherwise: number): Promise<number> {
    return await metric(name).catch(() => otherwise);
  }

  /** The writer has begun: its memory is that of a process that works. */
  async function count0(): Promise<void> {
    produced.push((await lab.runJob()).id);
    await waitUntil('the first is recorded', async () => (await recorded()).has(produced[0] as string), writerMs);
  }

  function memoryMiB(): number {
    return Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${writer.pid}/status`, 'utf8'))?.[1]) / 1024;
  }

  async function metric(name: string): Promise<number> {
    const text = await (await fetch(`http://127.0.0.1:${metricsPort}/metrics`)).text();
    return Number(new RegExp(`^inference_prediction_log_${name}\\{[^}]*\\} (\\S+)`, 'm').exec(text)?.[1]);
  }
});
