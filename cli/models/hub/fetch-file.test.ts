/** Fetching one file over connections that fail in every way; real sockets, a server that speaks the Hub's API. */
import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, beforeEach, describe, it } from 'node:test';
import { waitUntil } from '../../../shared/testing/wait-until.ts';
import { HubServer } from '../testing/hub-server.ts';
import { type FetchParts, fetchFile } from './fetch-file.ts';
import { HubClient, type HubFile, type HubModel } from './hub-client.ts';

const content = Buffer.alloc(200_000, 'model');
const name = 'org/model';

describe('fetching a file of the Hub', () => {
  let hub: HubServer;
  let folder: string;
  let model: HubModel;
  let file: HubFile;
  let parts: FetchParts;
  let seen: number[];
  before(async () => {
    hub = await HubServer.start();
    hub.repositories.set(name, { commit: 'a'.repeat(40), files: { 'onnx/model.onnx': content, 'config.json': '{}' } });
    folder = mkdtempSync(join(tmpdir(), 'millrace-fetch-'));
  });
  after(async () => {
    await hub.stop();
    rmSync(folder, { recursive: true });
  });
  beforeEach(async () => {
    rmSync(join(folder, 'blobs'), { recursive: true, force: true });
    hub.downloads.length = 0;
    hub.faults.kept = () => statSync(join(folder, 'blobs', `${file.digest}.incomplete`)).size;
    seen = [];
    const client = new HubClient({ endpoint: hub.url, token: undefined, cacheDir: folder });
    model = await client.describe(name, 'main');
    file = (await client.list(model)).find(({ path }) => path === 'onnx/model.onnx') as HubFile;
    parts = {
      folder,
      open: (from, byte, signal) => client.open(model, from, byte, signal),
      onBytes: (bytes) => void seen.push(bytes),
      retryMs: 5,
      stallMs: 30_000,
    };
  });

  it('survives four cuts, each try going on where the last one ended', async () => {
    hub.faults.cuts.set('onnx/model.onnx', [50_000, 50_000, 0, 30_000]);
    assert.deepEqual(readFileSync(await fetchFile(file, parts)), content);
    assert.deepEqual(
      hub.downloads.map((line) => /bytes=(\d+)-/.exec(line)?.[1] ?? '0'),
      ['0', '50000', '100000', '100000', '130000'],
    );
    assert.deepEqual(
      [...seen].sort((a, b) => a - b),
      seen,
      'progress never goes back',
    );
    assert.equal(seen.at(-1), content.length);
  });

  it('gives up after five tries, keeps what came, and goes on from there when asked again', async () => {
    hub.faults.cuts.set('onnx/model.onnx', [1000, 1000, 1000, 1000, 1000]);
    await assert.rejects(
      fetchFile(file, parts),
      /could not be fetched .*5000 of 200000 bytes are kept\. The same command goes on/,
    );
    assert.deepEqual(readdirSync(join(folder, 'blobs')), [`${file.digest}.incomplete`]);
    assert.deepEqual(readFileSync(await fetchFile(file, parts)), content);
    assert.match(hub.downloads.at(-1) ?? '', /bytes=5000-/);
  });

  it('leaves a connection that stalls', async () => {
    hub.faults.stalls.set('onnx/model.onnx', 10);
    const fetching = fetchFile(file, { ...parts, stallMs: 1000 });
    await waitUntil('it has begun', () => hub.downloads.length > 0);
    hub.faults.stalls.clear();
    assert.deepEqual(readFileSync(await fetching), content);
    assert.match(hub.downloads.at(-1) ?? '', /bytes=10-/);
  });

  it('asks again when the Hub is busy', async () => {
    hub.faults.failures = 2;
    assert.deepEqual(readFileSync(await fetchFile(file, parts)), content);
  });

  it('does not trust the cache blindly', async () => {
    const path = await fetchFile(file, parts);
    hub.downloads.length = 0;
    await fetchFile(file, parts);
    assert.deepEqual(hub.downloads, []);
    writeFileSync(path, Buffer.alloc(content.length, 'wrong'));
    assert.deepEqual(readFileSync(await fetchFile(file, parts)), content);
  });

  it('stops when it is told to', async () => {
    hub.faults.stalls.set('onnx/model.onnx', 10);
    const stop = new AbortController();
    setTimeout(() => stop.abort(), 100);
    await assert.rejects(fetchFile(file, { ...parts, signal: stop.signal }), { name: 'AbortError' });
    hub.faults.stalls.clear();
  });
});
