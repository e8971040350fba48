/** A text of 250 KB in hundreds of windows: joining them must leave the loop free that feeds the lanes. */
import assert from 'node:assert/strict';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { mergeItem } from '../../models/preparation/merge-item.ts';
import { scanRepository } from '../../models/repository/scan-repository.ts';
import { BlobStore } from '../../shared/blobs/blob-store.ts';
import { AllowedHosts } from '../../shared/net/url-policy.ts';
import { Preparer } from './prepare-input.ts';

const zoo = join(import.meta.dirname, '../../models/zoo');
/** Labels of starter-ner-groceries. */
const width = 9;

interface Window {
  readonly window?: { readonly keepFrom: number; readonly keepTo: number };
}

/** Of this thread's processor time: a loaded machine changes nothing about it. */
async function loopMs<Result>(work: () => Promise<Result>): Promise<[Result, ms: number]> {
  const before = process.threadCpuUsage();
  const result = await work();
  const { user, system } = process.threadCpuUsage(before);
  return [result, (user + system) / 1000];
}

test('windows of a long text are joined in a thread, to the same output', { timeout: 300_000 }, async (t) => {
  const files = (await scanRepository([zoo])).models.find(({ id }) => id === 'starter-ner-groceries');
  assert.ok(files);
  const blobs = new BlobStore(mkdtempSync(join(tmpdir(), 'millrace-')));
  const preparer = new Preparer({ blobs, allowed: new AllowedHosts([]), downloadBytesMax: 1 });
  t.after(() => preparer.close());
  const text = 'milk whiskas 85 g, beer 0.5 '.repeat(9000);
  const { signal } = new AbortController();
  const rows = await preparer.prepare({ kind: 'text', text }, files, {}, { signal });
  const contexts = rows.map(({ context }) => context);
  const parts = (contexts as Window[]).map(({ window }) =>
    Float32Array.from({ length: width * ((window?.keepTo ?? 0) - (window?.keepFrom ?? 0)) }, (_, at) =>
      Math.sin(at * at),
    ),
  );
  assert.ok(rows.length > 500, `${rows.length} windows`);
  const item = { files, parts, contexts };
  await Promise.all([mergeItem(item), preparer.merge(item)]);
  const [inline, inlineMs] = await loopMs(() => mergeItem(item));
  const [joined, joinedMs] = await loopMs(() => preparer.merge(item));
  assert.equal(joined, inline);
  t.diagnostic(
    `${rows.length} windows: ${joinedMs.toFixed(0)} ms of the loop, ${inlineMs.toFixed(0)} ms without a thread`,
  );
  assert.ok(joinedMs < Math.min(50, inlineMs / 2), `${joinedMs} ms of the loop, ${inlineMs} ms without a thread`);
});
