/** Every program of the system by itself, as a container runs it: no launcher, one port for metrics and health. */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { isDeepStrictEqual } from 'node:util';
import { systemEntries } from '../cli/launcher/system.ts';
import type { HealthReport } from '../shared/processes/health.ts';
import { endProcess } from '../shared/testing/end-process.ts';
import { freePort } from '../shared/testing/free-port.ts';
import { startTestRedis, type TestRedis } from '../shared/testing/redis.ts';
import { waitUntil } from '../shared/testing/wait-until.ts';

const root = join(import.meta.dirname, '..');

interface Program {
  readonly child: ChildProcess;
  readonly metricsPort: number;
}

async function readiness(port: number): Promise<{ status: number; report: HealthReport }> {
  const response = await fetch(`http://127.0.0.1:${port}/readyz`, { signal: AbortSignal.timeout(30_000) });
  return { status: response.status, report: (await response.json()) as HealthReport };
}

/** What it says once it answers with this status. */
async function untilStatus(port: number, wanted: number): Promise<HealthReport> {
  let report: HealthReport | undefined;
  const isThere = async () => {
    const answer = await readiness(port);
    report = answer.report;
    return answer.status === wanted;
  };
  await waitUntil(`port ${port} answers ${wanted}`, isThere, 180_000);
  return report as HealthReport;
}

describe('health by role', () => {
  let redis: TestRedis;
  const dataDir = mkdtempSync(join(tmpdir(), 'millrace-health-'));
  const programs = new Map<string, Program>();

  before(async () => {
    redis = await startTestRedis();
    for (const { role, file } of systemEntries) {
      const metricsPort = await freePort();
      const child = spawn(process.execPath, [join(root, file)], {
        stdio: 'ignore',
        env: {
          ...process.env,
          LOG_LEVEL: 'silent',
          REDIS_URL: redis.url,
          MILLRACE_DATA: dataDir,
          PORT: String(await freePort()),
          ADMIN_PORT: String(await freePort()),
          METRICS_PORT: String(metricsPort),
        },
      });
      programs.set(role, { child, metricsPort });
    }
  });

  after(async () => {
    await Promise.all([...programs.values()].map(({ child }) => endProcess(child)));
    await redis.stop();
    rmSync(dataDir, { recursive: true, force: true, maxRetries: 5 });
  });

  for (const { role } of systemEntries) {
    it(`${role} lives and becomes ready on its METRICS_PORT, with metrics beside`, async () => {
      const { metricsPort } = programs.get(role) as Program;
      const report = await untilStatus(metricsPort, 200);
      assert.equal(report.status, 'ready');
      assert.ok(report.checks.some(({ name }) => name === 'process'));
      assert.equal((await fetch(`http://127.0.0.1:${metricsPort}/livez`)).status, 200);
      assert.match(await (await fetch(`http://127.0.0.1:${metricsPort}/metrics`)).text(), /process_cpu/);
    });
  }

  it('a second device has the next port, and its worker says that its lanes load nothing without a GPU', async () => {
    const metricsPort = await freePort();
    const env = {
      ...process.env,
      LOG_LEVEL: 'silent',
      REDIS_URL: redis.url,
      MILLRACE_DATA: dataDir,
      METRICS_PORT: String(metricsPort),
      MILLRACE_DEVICES: 'cpu,cuda:0',
    };
    const child = spawn(process.execPath, [join(root, 'workers/main.ts')], { stdio: 'ignore', env });
    programs.set('two devices', { child, metricsPort });
    await untilStatus(metricsPort, 200);
    const broken = async () => {
      const { status, report } = await readiness(metricsPort + 1);
      return [status, ...report.checks.filter(({ ok }) => !ok).map(({ name }) => name)];
    };
    // Two programs that start beside each other: the second may listen after the first is ready.
    const isSo = async () => isDeepStrictEqual(await broken(), [503, 'lanes', 'models']);
    await waitUntil('the second says so', isSo, 180_000).catch(async () => {
      assert.deepEqual(await broken(), [503, 'lanes', 'models']);
    });
  });

  it('names Redis in every role that needs it while Redis is away, and only /readyz fails', async () => {
    await redis.stop();
    for (const { role } of systemEntries) {
      const { metricsPort } = programs.get(role) as Program;
      const report = await untilStatus(metricsPort, 503);
      const found = report.checks.find(({ name }) => name === 'redis');
      assert.deepEqual([found?.ok, found?.detail], [false, 'does not answer'], role);
      assert.match(found?.fix ?? '', /REDIS_URL/);
      assert.equal((await fetch(`http://127.0.0.1:${metricsPort}/livez`)).status, 200, role);
    }
  });
});
