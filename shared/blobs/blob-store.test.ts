/** Inputs and large outputs on disk: private, in their job's folder, gone with it. */
import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { mintJobId } from '../jobs/job-id.ts';
import { BlobStore } from './blob-store.ts';

let dataDir: string;
let blobs: BlobStore;
beforeEach(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'millrace-blobs-'));
  // As an earlier release left it.
  await mkdir(join(dataDir, 'blobs'), { mode: 0o755 });
  blobs = new BlobStore(dataDir);
  await blobs.open();
});
afterEach(() => rm(dataDir, { recursive: true, force: true }));

test('keeps the files of jobs from other users of the machine', async () => {
  for (const folder of [blobs.root, blobs.incoming]) assert.equal((await stat(folder)).mode & 0o077, 0, folder);
});

test('keeps what is moved or written into a job, and removes it with the job', async () => {
  const ref = { tenant: 'default', id: mintJobId() };
  const name = await blobs.adopt(ref, 0, await blobs.spool(Buffer.from('milk')));
  assert.equal(await readFile(await blobs.pathOf(name), 'utf8'), 'milk');
  assert.deepEqual(await readdir(blobs.incoming), []);
  const other = await blobs.store(ref, 1, Buffer.from('eggs'));
  assert.equal(await readFile(await blobs.pathOf(other), 'utf8'), 'eggs');
  await assert.rejects(blobs.store(ref, 1, Buffer.from('twice')), { code: 'EEXIST' });
  await blobs.remove(ref);
  await assert.rejects(blobs.pathOf(name), /blob-missing/);
  await assert.rejects(blobs.pathOf('../redis/password'), /blob-missing/);
});
