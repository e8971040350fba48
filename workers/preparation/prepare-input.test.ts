import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import type { ModelFiles } from '../../models/repository/model-files.ts';
import type { Row } from '../../models/task.ts';
import { BlobStore } from '../../shared/blobs/blob-store.ts';
import { AllowedHosts } from '../../shared/net/url-policy.ts';
import { Problem } from '../../shared/problems/problem.ts';
import { Preparer } from './prepare-input.ts';

const files = { id: 'm', version: '1', task: 'feature-extraction' } as ModelFiles;
let blobs: BlobStore;
let preparer: Preparer;

beforeEach(() => {
  blobs = new BlobStore(mkdtempSync(join(tmpdir(), 'millrace-')));
  preparer = new Preparer({
    blobs,
    allowed: new AllowedHosts([]),
    downloadBytesMax: 1,
    thread: { entry: join(import.meta.dirname, 'fake-thread.ts'), msMax: 300, abortMsMax: 2000 },
  });
});
afterEach(() => preparer.close());

/** Padded, so that it goes to a thread. */
function prepare(does: string, signal = new AbortController().signal): Promise<Row[]> {
  return preparer.prepare({ kind: 'text', text: does.padEnd(3000) }, files, {}, { signal });
}
const isLate = (error: unknown) => error instanceof Problem && error.slug === 'run-timeout';

test('a canceled item ends in its thread, and one that is over its deadline fails as such', {
  timeout: 120_000,
}, async () => {
  await prepare('ok'); // A thread is there, so that the item has begun when it is canceled.
  const cancel = new AbortController();
  const waits = prepare('waits', cancel.signal);
  setTimeout(() => cancel.abort(), 100);
  // In Piscina's words it would be the thread that was ended.
  await assert.rejects(waits, /Preparation was aborted/);
  await assert.rejects(prepare('waits'), isLate);
});

test('threads that hang are ended, and others take their place', { timeout: 120_000 }, async () => {
  await Promise.all(Array.from({ length: 2 }, () => assert.rejects(prepare('hangs'), isLate)));
  assert.deepEqual(await Promise.all(Array.from({ length: 8 }, () => prepare('ok'))), Array(8).fill([]));
});

test('a blob that is gone is told from one that can not be read', { timeout: 120_000 }, async () => {
  const { signal } = new AbortController();
  const readBlob = (blob: string) =>
    preparer.prepare({ kind: 'blob', blob, bytes: 1, type: 'image/png' }, files, {}, { signal });
  mkdirSync(join(blobs.root, 'job'), { recursive: true });
  writeFileSync(join(blobs.root, 'job/0'), 'x');
  await assert.rejects(readBlob('job/0'), { slug: 'corrupt-image' });
  await assert.rejects(readBlob('job/1'), { slug: 'blob-missing' });
  await assert.rejects(readBlob('../0'), { slug: 'blob-missing' });
});
