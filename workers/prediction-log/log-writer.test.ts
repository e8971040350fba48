/** From the finish script to the rows, on PostgreSQL and on PGlite alike. */
import assert from 'node:assert/strict';
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, afterEach, before, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { getTableConfig } from 'drizzle-orm/pg-core';
import { keys } from '../../shared/jobs/keys.ts';
import { skipWithoutPostgres, startTestPostgres, type TestPostgres } from '../../shared/testing/postgres.ts';
import { startTestRedis, type TestRedis } from '../../shared/testing/redis.ts';
import { waitUntil } from '../../shared/testing/wait-until.ts';
import { applySteps } from './apply-steps.ts';
import { openPglite } from './database/open-database.ts';
import { predictions } from './database/schema.ts';
import { rowsStep } from './log-step.ts';
import { toRows } from './prediction-row.ts';
import { type LabWish, LogLab } from './testing/log-lab.ts';

let server: TestRedis;
before(async () => {
  server = await startTestRedis();
});
after(() => server.stop());

for (const kind of ['PostgreSQL', 'PGlite'] as const) {
  describe(`the log writer on ${kind}`, { skip: kind === 'PostgreSQL' && skipWithoutPostgres() }, () => {
    let postgres: TestPostgres | undefined;
    let lab: LogLab;
    before(async () => {
      if (kind === 'PostgreSQL') postgres = await startTestPostgres();
    });
    after(() => postgres?.stop());
    const wish = (extra: Partial<LabWish> = {}): LabWish => ({
      redisUrl: server.url,
      ...(postgres && { databaseUrl: postgres.url }),
      ...extra,
    });
    before(async () => {
      lab = await LogLab.open(wish());
      await lab.startWriter();
    });
    after(() => lab.close());
    afterEach(async () => {
      await lab.until('the record is empty again', async (db) => {
        await db.execute('DELETE FROM millrace.predictions');
        return true;
      });
    });
    const has = (n: number) => lab.until(`${n} rows`, async () => (await lab.rows()).length === n);

    it('records each item of a job with its summary, hash, timings and trace, and leaves nothing in Redis', async () => {
      const job = await lab.runJob({ texts: ['milk 3.2%', 'kefir 1%'] });
      await has(2);
      const [first, second] = await lab.rows();
      const expected = { job: job.id, item: 0, tenant: 'default', model: 'ner', version: '7', status: 'succeeded' };
      for (const [name, value] of Object.entries(expected)) assert.equal(first?.[name], value, name);
      assert.deepEqual(first?.['summary'], { spans: [{ label: 'PERCENT', start: 0, end: 4, score: 0.9 }] });
      assert.deepEqual([first?.['label'], first?.['score']], ['PERCENT', 0.9]);
      assert.deepEqual([second?.['item'], second?.['input_hash'], second?.['input_length']], [1, 'sha-of-8', 8]);
      assert.deepEqual([first?.['input'], first?.['batch_rows']], [null, 3]);
      assert.equal(first?.['trace_id'], '0af7651916cd43dd8448eb211c80319c');
      assert.ok(Number(first?.['total_seconds']) >= 0);
      await lab.until('the stream is empty', async () => (await lab.redis.xlen(keys.predictions)) === 0);
    });

    it('records how an item failed, was canceled or never ran', async () => {
      const job = await lab.runJob();
      const { id } = job;
      const request = { ...job, id: id.replace(/.$/, id.endsWith('0') ? '1' : '0') };
      await lab.store.admit(request, { input: [{ kind: 'text', text: 'x' }], queueMax: 9, tenantMax: 9 });
      const fragment = JSON.stringify({ type: '/problems/canceled', title: '', status: 422, detail: '' });
      await lab.store.finish([{ tenant: 'default', id: request.id, kind: 'job', status: 'canceled', fragment }]);
      await has(2);
      const [row] = await lab.rows(`job = '${request.id}'`);
      assert.deepEqual([row?.['status'], row?.['error'], row?.['label']], ['canceled', 'canceled', null]);
    });

    it('erases in order: a row that came before goes, whether it was written or not', async () => {
      const kept = await lab.runJob();
      const gone = await lab.runJob();
      await lab.store.erase({ tenant: 'default', id: gone.id }, null);
      await lab.runJob();
      await has(2);
      await lab.until('the stream is empty', async () => (await lab.redis.xlen(keys.predictions)) === 0);
      const ids = (await lab.rows()).map((row) => row['job']);
      assert.ok(ids.includes(kept.id) && !ids.includes(gone.id));
    });

    it('writes rows together that come one after another', async () => {
      const writes = async () =>
        Number(/^inference_prediction_log_write_seconds_count\S* (\d+)/m.exec(await lab.registry.metrics())?.[1]);
      const before = await writes();
      const startedMs = performance.now();
      for (let n = 0; n < 10; n++) {
        await lab.runJob();
        await sleep(20);
      }
      await has(10);
      // One for each half second that they took, and a busy machine takes some.
      const most = 2 + Math.floor((performance.now() - startedMs) / 500);
      const made = (await writes()) - before;
      assert.ok(made <= Math.min(most, 9), `${made} statements for ten rows, ${most} at most`);
    });

    it('holds a row once, however often it comes', async () => {
      const job = await lab.runJob();
      await has(1);
      const { db } = lab.log.keeper;
      const row = { ...(await lab.rows())[0], created_at: '2026-01-01T00:00:00Z', finished_at: '2026-01-01T00:00:00Z' };
      const step = rowsStep(0, [row as never]);
      const applied = await applySteps(db as never, [step, step]);
      assert.deepEqual([applied.recorded, applied.known], [0, 2]);
      assert.equal((await lab.rows())[0]?.['job'], job.id);
    });

    it('leaves out alone a row that the database refuses, and mends texts that it can not hold', async () => {
      await lab.runJob();
      await has(1);
      const base = {
        ...(await lab.rows())[0],
        created_at: '2026-01-01T00:00:00Z',
        finished_at: '2026-01-01T00:00:00Z',
      };
      const rows = [
        { ...base, item: 1, label: 'nul \0 and half \ud800' },
        { ...base, item: 2, score: 'not a number' },
        { ...base, item: 3 },
      ];
      const applied = await applySteps(lab.log.keeper.db as never, [rowsStep(0, rows as never)]);
      assert.deepEqual([applied.recorded, applied.refused], [2, 1]);
      assert.deepEqual(
        (await lab.rows()).map((row) => row['item']),
        [0, 1, 3],
      );
    });

    it('leaves an entry of another release in Redis, and goes on with the others', async () => {
      await lab.redis.xadd(keys.predictions, '*', 't', 'default', 'i', 'x', 'd', '{"v":9,"req":{"id":"x"}}');
      await lab.runJob();
      await has(1);
      await lab.until('one is left', async () => (await lab.redis.xlen(keys.predictions)) === 1);
      await lab.redis.del(keys.predictions);
    });

    it('says its lag, and that nothing waits', async () => {
      await lab.runJob();
      await has(1);
      await lab.until('the stream is empty', async () => (await lab.redis.xlen(keys.predictions)) === 0);
      const text = await lab.registry.metrics();
      assert.match(text, /inference_prediction_log_lag_seconds\{[^}]*\} 0\n/);
      assert.match(text, /inference_prediction_log_database_up\{[^}]*\} 1\n/);
      assert.match(text, /inference_prediction_log_spool_bytes\{[^}]*\} 0\n/);
      assert.match(text, /inference_prediction_log_rows_total\{[^}]*result="recorded"[^}]*\} \d/);
    });
  });
}

describe('the columns of the record', () => {
  it('are the same in rows, in the schema and in the committed migrations', async () => {
    const columns = getTableConfig(predictions).columns.map((column) => column.name);
    const job = { request: { id: 'j', tenant: 't', task: 'x', model: 'm', items: 1 }, createdMs: 0, startedMs: 0 };
    const inputs = { keepsInput: false, marks: [], inputs: [], media: new Map() };
    const [row] = toRows({ ...job, finishedMs: 1, output: null, error: null } as never, inputs, new Map());
    assert.deepEqual(Object.keys(row ?? {}).sort(), columns.toSorted());
    const migration = await readFile(`${import.meta.dirname}/database/migrations/0000_record.sql`, 'utf8');
    for (const column of columns) assert.ok(migration.includes(`"${column}"`), column);
  });
});

describe('the embedded database', () => {
  it('is made anew when its making was cut off, and a stop does not wait for it', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'millrace-making-'));
    const data = join(folder, 'predictions');
    await mkdir(`${data}.making-cut-off`);
    const stopping = new AbortController();
    const cut = openPglite(data, stopping.signal);
    await waitUntil('it is being made', async () => (await readdir(folder)).some((name) => !name.endsWith('cut-off')));
    stopping.abort();
    await assert.rejects(cut, /could not be made/);
    const opened = await openPglite(data);
    await opened.close();
    assert.deepEqual(await readdir(folder), ['predictions']);
    assert.equal((await stat(data)).mode & 0o777, 0o700, 'its files can be read and written by anybody');
    await chmod(data, 0o755);
    await (await openPglite(data)).close();
    assert.equal((await stat(data)).mode & 0o777, 0o700, 'also where it was made by an earlier release');
    await rm(folder, { recursive: true, force: true });
  });
});
