import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { laneEnvironment } from './lane-environment.ts';

const cpu = { device: 'cpu', threads: 2 };
const switchFile = '/sys/kernel/mm/transparent_hugepage/enabled';

test('a lane sees its own GPU and as many threads as it was given', () => {
  const environment = laneEnvironment({ device: 'cuda:1', threads: 3 }, { PATH: '/bin', CUDA_VISIBLE_DEVICES: '0' });
  assert.equal(environment['CUDA_VISIBLE_DEVICES'], '1');
  assert.equal(environment['OMP_NUM_THREADS'], '3');
  assert.equal(environment['PATH'], '/bin');
});

test("an operator's tunables stand behind those of a lane, where they win", () => {
  const own = 'glibc.malloc.hugetlb=0:glibc.malloc.arena_max=2';
  const tunables = laneEnvironment(cpu, { GLIBC_TUNABLES: own })['GLIBC_TUNABLES'];
  assert.equal(tunables, `glibc.malloc.hugetlb=1:${own}`);
});

test('large blocks of a lane lie in huge pages, where the kernel gives them to who asks', (t) => {
  if (!asksForHugePages()) return t.skip('no glibc, or its kernel gives huge pages to all or to nobody');
  const script = `const block = Buffer.alloc(64 * 2 ** 20, 1);
    const pages = require('fs').readFileSync('/proc/self/smaps_rollup', 'utf8');
    console.log(block.length, /AnonHugePages:\\s+(\\d+)/.exec(pages)[1]);`;
  const { stdout } = spawnSync(process.execPath, ['-e', script], { env: laneEnvironment(cpu, {}), encoding: 'utf8' });
  assert.ok(Number(stdout.split(' ')[1]) > 0, `KiB in huge pages: ${stdout}`);
});

function asksForHugePages(): boolean {
  const { glibcVersionRuntime } = (process.report.getReport() as { header: { glibcVersionRuntime?: string } }).header;
  const [, minor = 0] = (glibcVersionRuntime ?? '0').split('.').map(Number);
  return minor >= 35 && existsSync(switchFile) && readFileSync(switchFile, 'utf8').includes('[madvise]');
}
