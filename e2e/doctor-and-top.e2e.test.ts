/** doctor and top against a whole running system: what they name must be there. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { promisify } from 'node:util';
import { type RunningSystem, startSystem } from './system/running-system.ts';

const bootstrap = join(import.meta.dirname, '../cli/bootstrap.mjs');
const model = 'starter-ner-groceries';

describe('doctor and top beside a running system', () => {
  let system: RunningSystem;
  before(async () => {
    system = await startSystem({ models: [model] });
  });
  after(() => system.stop());

  const run = async (...args: string[]) => {
    const env = {
      ...process.env,
      PORT: new URL(system.url).port,
      ADMIN_PORT: new URL(system.adminUrl).port,
      MILLRACE_DATA: system.dataDir,
    };
    return (await promisify(execFile)(process.execPath, [bootstrap, ...args], { env, timeout: 180_000 })).stdout;
  };

  it('doctor finds the running Redis, the launcher and our ports', async () => {
    const { ok, findings } = JSON.parse(await run('doctor', '--json'));
    assert.ok(ok, JSON.stringify(findings));
    const details = (name: string) => findings.find((finding: { name: string }) => finding.name === name)?.detail;
    assert.match(details('redis'), /^\d+\.\d+\.\d+ at 127\.0\.0\.1:\d+$/);
    assert.match(details('redis durable'), /appendfsync always/);
    assert.match(details('lock'), /held by the launcher/);
    assert.match(details(`port ${new URL(system.url).port}`), /Millrace answers/);
  });

  it('top shows queues, models, lanes and what has just ended', async () => {
    let isSending = true;
    const send = async () => {
      const body = JSON.stringify({ task: 'token-classification', input: 'sour cream 20%' });
      const headers = { 'Content-Type': 'application/json', Prefer: 'wait=30' };
      while (isSending) await (await fetch(`${system.url}/v1/jobs`, { method: 'POST', headers, body })).text();
    };
    const sending = send();
    const text = await run('top', '--once');
    isSending = false;
    await sending;
    // Any number and any time: how many in a second is the machine's business.
    assert.match(text, /succeeded (?!0\.0\/)[\d.]+\/s/);
    assert.match(text, new RegExp(`${model}\\.normal +\\d+ +\\d+ +\\S.* m?s +\\d`));
    assert.match(text, new RegExp(`${model} +1 ready +(?!0\\.0 )\\d`));
    assert.match(text, /LANE \([1-9]\d* of [1-9]\d* alive\)/);
    assert.match(text, /redis {2}\d+ of 1024 MiB, write p99 \d/);
    assert.match(text, /TENANT +UNFINISHED\n(default|none)/);
  });
});
