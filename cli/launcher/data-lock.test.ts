/** One launcher per data folder, also when several find the lock of a dead one at the same moment. */
import assert from 'node:assert/strict';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { temporaryFolder } from '../testing/launched-system.ts';
import { DataInUse, lockData } from './data-lock.ts';
import { startOf } from './process-identity.ts';

const dead = JSON.stringify({ pid: 2 ** 22 + 1, start: '1' });
const alive = JSON.stringify({ pid: process.ppid, start: startOf(process.ppid) });

let folder: ReturnType<typeof temporaryFolder>;
beforeEach(() => {
  folder = temporaryFolder();
});
afterEach(() => folder.remove());
const file = () => join(folder.dir, 'launcher.lock');
const holder = () => (JSON.parse(readFileSync(file(), 'utf8')) as { pid: number }).pid;

test('takes a free folder and gives it back', () => {
  const release = lockData(folder.dir);
  assert.equal(holder(), process.pid);
  release();
  assert.equal(existsSync(file()), false);
});

test('refuses the folder of a living launcher, and takes that of a dead one', () => {
  writeFileSync(file(), alive);
  assert.throws(() => lockData(folder.dir), DataInUse);
  writeFileSync(file(), dead);
  lockData(folder.dir);
  assert.equal(holder(), process.pid);
});

test('leaves a dead lock to the launcher that is already putting it away, unless that one died too', () => {
  writeFileSync(file(), dead);
  writeFileSync(`${file()}.claim`, alive);
  assert.throws(() => lockData(folder.dir), DataInUse);
  assert.equal(readFileSync(file(), 'utf8'), dead);
  writeFileSync(`${file()}.claim`, dead);
  lockData(folder.dir);
  assert.equal(holder(), process.pid);
  assert.equal(existsSync(`${file()}.claim`), false);
});
