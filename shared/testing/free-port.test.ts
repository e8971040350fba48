import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';

/** Asks for so many ports before any of them has a server; as if it had the pid of another, so that both begin at one block. */
const script = `
  Object.defineProperty(process, 'pid', { value: 4 });
  const { freePort } = await import('${join(import.meta.dirname, 'free-port.ts')}');
  const ports = [];
  for (let n = 0; n < 50; n++) ports.push(await freePort());
  console.log(JSON.stringify(ports));
  await new Promise((resolve) => process.stdin.once('end', resolve).resume());`;

test('processes that ask at once get no port twice, though no server is there yet', async () => {
  const asking = [1, 2, 3].map(() => {
    const run = promisify(execFile)(process.execPath, ['--input-type=module', '-e', script]);
    const said = new Promise<string>((resolve) => run.child.stdout?.once('data', resolve));
    return { run, said };
  });
  const ports = (await Promise.all(asking.map(({ said }) => said))).flatMap((line) => JSON.parse(line) as number[]);
  for (const { run } of asking) run.child.stdin?.end();
  await Promise.all(asking.map(({ run }) => run));
  assert.equal(ports.length, 150);
  assert.equal(new Set(ports).size, 150);
});
