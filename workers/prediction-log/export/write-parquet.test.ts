/** A Parquet file that nobody waits for any more is not written on: it is minutes of the database, a process and a disk. */
import assert from 'node:assert/strict';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { setImmediate as next } from 'node:timers/promises';
import { waitUntil } from '../../../shared/testing/wait-until.ts';
import type { Example } from './judged-examples.ts';
import { parquetOf } from './write-parquet.ts';

describe('an export as Parquet', () => {
  let folder: string;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'millrace-parquet-'));
  });
  after(() => rm(folder, { recursive: true, force: true }));

  it('ends with whom it is for, while examples are read and while they are converted', async () => {
    let isRead = false;
    const endless = async function* (): AsyncGenerator<Example[]> {
      try {
        for (let id = 0; ; id++) {
          await next();
          yield [{ id }];
        }
      } finally {
        isRead = true;
      }
    };
    const gone = new AbortController();
    const reading = assert.rejects(parquetOf(endless(), folder, gone.signal), { name: 'AbortError' });
    await waitUntil('lines are written', async () => (await readdir(folder)).length === 1);
    gone.abort();
    await reading;
    await waitUntil('the database is asked no more', () => isRead);
    assert.deepEqual(await readdir(folder), [], 'and nothing is left on disk');

    const hungUp = new AbortController();
    const one = async function* (): AsyncGenerator<Example[]> {
      yield [{ id: 1 }];
      setTimeout(() => hungUp.abort(), 30); // DuckDB takes 200 ms to load.
    };
    await assert.rejects(parquetOf(one(), folder, hungUp.signal));
    assert.deepEqual(await readdir(folder), []);
  });
});
