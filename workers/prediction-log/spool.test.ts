/** The spool: order, torn ends, files that come and go, and memory that does not grow with it. */
import assert from 'node:assert/strict';
import { appendFile, mkdtemp, readdir, rm, truncate } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { eraseStep, type LogStep } from './log-step.ts';
import { Spool } from './spool.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'millrace-spool-'));
});
afterEach(() => rm(folder, { recursive: true }));

const step = (n: number): LogStep => ({ kind: 'rows', atMs: n, rows: 1, json: JSON.stringify([{ job: `j${n}` }]) });
async function opened(bytesMax?: number): Promise<Spool> {
  const spool = new Spool(folder, bytesMax);
  await spool.open();
  return spool;
}
async function drain(spool: Spool): Promise<LogStep[]> {
  const all: LogStep[] = [];
  for (let chunk = await spool.read(); chunk; chunk = await spool.read()) {
    all.push(...chunk.steps);
    await chunk.done();
  }
  return all;
}

test('gives steps back in order, over many files and a restart, and then leaves no file', async () => {
  const first = await opened(100);
  for (let n = 0; n < 20; n++) await first.append([step(n), eraseStep(n, 'default', `e${n}`)]);
  await first.close();
  const second = await opened(100);
  assert.ok((await readdir(folder)).length > 5);
  assert.equal(second.oldestMs, 0);
  await second.append([step(20)]);
  const steps = await drain(second);
  assert.deepEqual(
    steps.filter(({ kind }) => kind === 'rows').map(({ atMs }) => atMs),
    [...Array(21).keys()],
  );
  assert.deepEqual(steps[1], eraseStep(0, 'default', 'e0'));
  assert.deepEqual([await readdir(folder), second.bytes, second.oldestMs], [[], 0, null]);
});

test('cuts off a line that a crash left half written, and goes on behind it', async () => {
  const first = await opened();
  await first.append([step(1), step(2)]);
  await first.close();
  const file = join(folder, (await readdir(folder))[0] as string);
  await appendFile(file, 'R 3 1 [{"job":"j3');
  const second = await opened();
  await second.append([step(4)]);
  assert.deepEqual(
    (await drain(second)).map(({ atMs }) => atMs),
    [1, 2, 4],
  );
});

test('a file of which nothing whole is left goes away', async () => {
  const first = await opened();
  await first.append([step(1)]);
  await first.close();
  await truncate(join(folder, (await readdir(folder))[0] as string), 5);
  const second = await opened();
  assert.deepEqual([second.isEmpty, await readdir(folder)], [true, []]);
});

test('replays a file whole when the process died between its chunks', async () => {
  const first = await opened();
  const long: LogStep = { kind: 'rows', atMs: 1, rows: 1, json: JSON.stringify('x'.repeat(1_500_000)) };
  await first.append([step(0), long, step(2)]);
  const chunk = await first.read();
  assert.equal(chunk?.steps[0]?.atMs, 0);
  await chunk?.done();
  await first.close();
  assert.deepEqual(
    (await drain(await opened())).map(({ atMs }) => atMs),
    [0, 1, 2],
  );
});

test('steps that come while others are read go behind them', async () => {
  const spool = await opened();
  await spool.append([step(1)]);
  const chunk = await spool.read();
  await spool.append([step(2)]);
  await chunk?.done();
  assert.equal(spool.isEmpty, false);
  assert.deepEqual(
    (await drain(spool)).map(({ atMs }) => atMs),
    [2],
  );
});
