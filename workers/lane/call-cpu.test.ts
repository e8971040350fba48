import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { CallCpu } from './call-cpu.ts';

/** Ends when this process had so much of a core, however long that took. */
function work(ms: number): void {
  const before = process.cpuUsage();
  const spent = () => {
    const { user, system } = process.cpuUsage(before);
    return (user + system) / 1000;
  };
  while (spent() < ms);
}

test('the CPU of a call is what was worked since the one before, and nothing of what was waited', async () => {
  const cpu = new CallCpu({ device: 'cpu', threads: 1 });
  work(100);
  cpu.begin();
  work(20);
  await pause(1000);
  const first = cpu.end().cpuMs as number;
  assert.ok(first >= 20 && first < 100, `${first} ms of 20, with 100 before and a second of waiting`);
  work(10);
  const second = cpu.end().cpuMs as number;
  assert.ok(second >= 10 && second < first + 10, `${second} ms of 10`);
});

test('of threads that spin, and beside a GPU, the CPU of a call is not told', () => {
  assert.deepEqual(new CallCpu({ device: 'cpu', threads: 2 }).end(), {});
  assert.deepEqual(new CallCpu({ device: 'cuda:0', threads: 1 }).end(), {});
});
