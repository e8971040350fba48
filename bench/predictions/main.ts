/**
 * The record of predictions: rows a second from the stream into PostgreSQL over plain INSERTs of the same rows, how it
 * follows 2,000 predictions a second, how it catches up after a time without a database, and what a page costs in a full
 * record (`--only pages`, `--seconds` times 100,000 rows, on PostgreSQL and on PGlite).
 */
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Redis } from 'ioredis';
import pg from 'pg';
import { keys } from '../../shared/jobs/keys.ts';
import { freePort } from '../../shared/testing/free-port.ts';
import { startTestPostgres } from '../../shared/testing/postgres.ts';
import { startTestRedis } from '../../shared/testing/redis.ts';
import { waitUntil } from '../../shared/testing/wait-until.ts';
import { openPglite, openPostgres } from '../../workers/prediction-log/database/open-database.ts';
import { HelperProcess } from '../method/helper-process.ts';
import type { BenchOptions } from '../method/options.ts';
import { measurePairs, median, ratioOf } from '../method/ratio.ts';
import { type Figure, finish, printTable } from '../method/report.ts';
import { addEntries } from './entries.ts';
import { measureFinishCost } from './finish-cost.ts';
import { explainWorst, fillRecord, timePages } from './pages.ts';

const wantedPerSecond = 2000;
const rowsPerInsert = 500;
const pageMsMax = 50;

export async function benchPredictions(options: BenchOptions): Promise<void> {
  const { only, keep } = options;
  const figures: Figure[] = [];
  const extra: Record<string, unknown> = {};
  if ('write'.includes(only) || 'away'.includes(only)) {
    const lab = await openLab();
    if ('write'.includes(only)) figures.push(...(await benchWriting(lab, options, extra)));
    if ('away'.includes(only)) figures.push(await benchAway(lab, options, extra));
    await lab.close();
  }
  if ('finish'.includes(only)) figures.push(await benchFinish(options, extra));
  if ('pages'.includes(only)) figures.push(...(await benchPages(options, extra)));
  finish('predictions', figures, extra, keep);
}

type Lab = Awaited<ReturnType<typeof openLab>>;

async function openLab() {
  const server = await startTestRedis();
  const postgres = await startTestPostgres();
  const dataDir = await mkdtemp(join(tmpdir(), 'millrace-bench-'));
  const metricsPort = await freePort();
  const writer = new HelperProcess(join(import.meta.dirname, '../../workers/log-main.ts'), [], {
    REDIS_URL: server.url,
    DATABASE_URL: postgres.url,
    MILLRACE_DATA: dataDir,
    METRICS_PORT: String(metricsPort),
    LOG_LEVEL: 'error',
  });
  await writer.next('ready');
  const redis = new Redis(server.url, { maxRetriesPerRequest: null });
  const pool = new pg.Pool({ connectionString: postgres.url });
  pool.on('error', () => {});
  const rows = async () =>
    (await pool.query('SELECT count(*)::integer AS n FROM millrace.predictions')).rows[0].n as number;
  await waitUntil('the tables are there', async () => (await rows()) === 0, 20_000);
  return {
    redis,
    postgres,
    pool,
    rows,
    async metric(name: string): Promise<number> {
      const text = await (await fetch(`http://127.0.0.1:${metricsPort}/metrics`)).text();
      return Number(new RegExp(`^inference_prediction_log_${name}\\{[^}]*\\} (\\S+)`, 'm').exec(text)?.[1]);
    },
    async memoryMib(): Promise<number> {
      const status = await readFile(`/proc/${writer.pid}/status`, 'utf8');
      return Number(/VmRSS:\s+(\d+)/.exec(status)?.[1]) / 1024;
    },
    async close() {
      await writer.stop();
      redis.disconnect();
      await pool.end().catch(() => {});
      await postgres.stop();
      await server.stop();
      await rm(dataDir, { recursive: true, force: true });
    },
  };
}

async function benchWriting(
  lab: Lab,
  { pairs, seconds }: BenchOptions,
  extra: Record<string, unknown>,
): Promise<Figure[]> {
  const count = Math.round(seconds * wantedPerSecond);
  await lab.pool.query('CREATE TABLE millrace.plain (LIKE millrace.predictions INCLUDING ALL)');
  const ours = async () => {
    const before = await lab.rows();
    const startedAt = performance.now();
    await addEntries(lab.redis, count);
    // An entry leaves Redis when its row is committed; counting rows meanwhile would slow their writing down.
    await waitUntil('the stream is empty', async () => (await lab.redis.xlen(keys.predictions)) === 0, 300_000);
    const perSecond = (count / (performance.now() - startedAt)) * 1000;
    if ((await lab.rows()) !== before + count) throw new Error('rows are missing');
    return perSecond;
  };
  await ours();
  const { rows } = await lab.pool.query(`SELECT * FROM millrace.predictions LIMIT ${rowsPerInsert}`);
  let next = 0;
  const plain = async () => {
    const startedAt = performance.now();
    for (let done = 0; done < count; done += rowsPerInsert) {
      const some = rows.map((row) => ({ ...row, job: `job-${next++}` }));
      await lab.pool.query(
        'INSERT INTO millrace.plain SELECT * FROM json_populate_recordset(null::millrace.plain, $1)',
        [JSON.stringify(some)],
      );
    }
    return (count / (performance.now() - startedAt)) * 1000;
  };
  const { a, b } = await measurePairs(pairs, ours, plain, (x, y, pair) =>
    console.log(`pair ${pair + 1}: log writer ${x.toFixed(0)} rows/s, plain INSERT ${y.toFixed(0)} rows/s`),
  );
  extra['rows_per_second'] = Math.round(median(a));
  const lag = await followPaced(lab, seconds * 4);
  extra['lag_seconds_at_2000_per_second'] = lag;
  console.log(`at ${wantedPerSecond} predictions a second: lag ${lag.median} s, at most ${lag.worst} s`);
  return [
    {
      name: 'predictions-write',
      ratio: ratioOf(a, b),
      target: '>= 0.3',
      meaning: 'rows/s from the stream over plain INSERT of 500 rows',
    },
    {
      name: 'predictions-rate',
      ratio: ratioOf(
        a,
        a.map(() => wantedPerSecond),
      ),
      target: '>= 1',
      meaning: 'rows/s from the stream over 2,000',
    },
  ];
}

async function benchFinish({ pairs, seconds }: BenchOptions, extra: Record<string, unknown>): Promise<Figure> {
  const cost = await measureFinishCost(pairs, Math.round(seconds * wantedPerSecond));
  const { plainUs, recordedUs, scriptUs } = cost;
  extra['redis_us_per_finished_job'] = {
    plain: Math.round(plainUs),
    recorded: Math.round(recordedUs),
    script: scriptUs,
  };
  console.log(`Redis per finished job: ${plainUs.toFixed(0)} us of CPU, recorded ${recordedUs.toFixed(0)} us`);
  console.log(`of it the finish script: ${scriptUs.plain.toFixed(1)} us, recorded ${scriptUs.recorded.toFixed(1)} us`);
  const meaning = 'Redis CPU to end a job and forget its entry, over ending it unrecorded';
  return { name: 'predictions-finish', ratio: cost.ratio, target: '<= 1.6', meaning };
}

/** Predictions come evenly; how old is the oldest that is not written? */
async function followPaced(lab: Lab, seconds: number): Promise<{ median: number; worst: number }> {
  const lags: number[] = [];
  await pacedEntries(lab, seconds, async () => {
    lags.push(await lab.metric('lag_seconds'));
  });
  return { median: Math.round(median(lags) * 1000) / 1000, worst: Math.max(...lags) };
}

async function pacedEntries(lab: Lab, seconds: number, look: () => Promise<void>): Promise<number> {
  const startedAt = performance.now();
  let sent = 0;
  for (let tick = 0; performance.now() - startedAt < seconds * 1000; tick++) {
    const due = Math.round(((performance.now() - startedAt) / 1000) * wantedPerSecond);
    if (due > sent) await addEntries(lab.redis, due - sent);
    sent = Math.max(sent, due);
    if (tick % 20 === 0) await look();
    await sleep(20);
  }
  return sent;
}

async function benchAway(lab: Lab, { seconds }: BenchOptions, extra: Record<string, unknown>): Promise<Figure> {
  const awaySeconds = seconds * 12;
  const before = await lab.rows();
  const memory: number[] = [await lab.memoryMib()];
  let waitingMax = 0;
  await lab.postgres.kill();
  const sent = await pacedEntries(lab, awaySeconds, async () => {
    memory.push(await lab.memoryMib());
    waitingMax = Math.max(waitingMax, await lab.redis.xlen(keys.predictions));
  });
  const spoolMib = (await lab.metric('spool_bytes')) / 2 ** 20;
  await lab.postgres.restart();
  const startedAt = performance.now();
  await waitUntil('the spool is empty', async () => (await lab.metric('spool_bytes')) === 0, 300_000);
  const catchUpSeconds = (performance.now() - startedAt) / 1000;
  if ((await lab.rows()) !== before + sent) throw new Error('rows are missing');
  memory.push(await lab.memoryMib());
  const away = {
    seconds: awaySeconds,
    predictions: sent,
    spool_mib: Math.round(spoolMib),
    redis_entries_most: waitingMax,
    catch_up_seconds: Math.round(catchUpSeconds * 10) / 10,
    memory_mib_before: Math.round(memory[0] ?? 0),
    memory_mib_most: Math.round(Math.max(...memory)),
  };
  extra['away'] = away;
  console.log(`without a database: ${JSON.stringify(away)}`);
  const ratio = ratioOf([catchUpSeconds], [awaySeconds]);
  return {
    name: 'predictions-catch-up',
    ratio,
    target: '<= 0.5',
    meaning: 'time to catch up over time without a database',
  };
}

async function benchPages({ seconds }: BenchOptions, extra: Record<string, unknown>): Promise<Figure[]> {
  const rows = Math.round(seconds * 100_000);
  const postgres = await startTestPostgres();
  const folder = await mkdtemp(join(tmpdir(), 'millrace-bench-'));
  const figures: Figure[] = [];
  for (const kind of ['postgresql', 'pglite'] as const) {
    const opened = await (kind === 'pglite' ? openPglite(join(folder, 'db')) : openPostgres(postgres.url, () => {}));
    const startedAt = performance.now();
    await fillRecord(opened.db, rows);
    console.log(`\n${kind}: ${rows} rows in ${((performance.now() - startedAt) / 1000).toFixed(0)} s`);
    const times = await timePages(opened.db);
    printTable(
      ['question', 'median ms', 'worst ms', 'found'],
      times.map(({ name, medianMs, worstMs, found }) => [name, medianMs, worstMs, found]),
    );
    for (const line of await explainWorst(opened.db)) console.log(`  ${line}`);
    extra[kind] = { rows, memory_mib: Math.round(process.memoryUsage.rss() / 2 ** 20), pages: times };
    const pages = times.filter(({ name }) => !name.startsWith('drift'));
    const slowest = Math.max(...pages.map(({ medianMs }) => medianMs));
    const meaning = `slowest page (median of its kind) of ${rows} rows on ${kind}, over ${pageMsMax} ms`;
    figures.push({ name: `predictions-page-${kind}`, ratio: ratioOf([slowest], [pageMsMax]), target: '<= 1', meaning });
    await opened.close();
  }
  await postgres.stop();
  await rm(folder, { recursive: true, force: true });
  return figures;
}
