/** Collectors that are dead, silent, slow or refusing, on real sockets, in front of both exporters. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { createServer as createHttpServer, type RequestListener } from 'node:http';
import { type AddressInfo, createServer as createTcpServer, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { readSettings } from '../../config/settings.ts';
import { freePort } from '../../testing/free-port.ts';
import { waitUntil } from '../../testing/wait-until.ts';
import { createLogger } from '../logger.ts';
import { createRegistry, type Registry } from '../metrics.ts';
import { mintSpanId, mintTraceId } from '../trace-context.ts';
import type { Span } from './span.ts';
import { startTracing } from './start-tracing.ts';

const servers: Server[] = [];
/** Open ones, by the URL of their server. */
const sockets = new Map<string, Set<Socket>>();
after(() => {
  for (const open of sockets.values()) for (const socket of open) socket.destroy();
  for (const server of servers) server.close();
});

async function listen(server: Server): Promise<string> {
  servers.push(server);
  const open = new Set<Socket>();
  server.on('connection', (socket) => {
    open.add(socket);
    socket.on('close', () => open.delete(socket)).on('error', () => {});
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  sockets.set(url, open);
  return url;
}
const answering = (listener: RequestListener) => listen(createHttpServer(listener));
/** Takes connections and bytes, and never says a word. */
const silence = () => listen(createTcpServer((socket) => socket.resume()));

const environments = {
  jaeger: (url: string) => ({ OTEL_TRACES_EXPORTER: 'jaeger', OTEL_EXPORTER_JAEGER_ENDPOINT: `${url}/api/traces` }),
  otlp: (url: string) => ({ OTEL_TRACES_EXPORTER: 'otlp', OTEL_EXPORTER_OTLP_ENDPOINT: url }),
};

const spansPerBatch: Readonly<Record<string, number>> = { jaeger: 100, otlp: 256 };

async function open(env: Record<string, string>) {
  const registry = createRegistry('test', 'test');
  const lines: string[] = [];
  const logger = createLogger('test', 'info', { write: (line) => void lines.push(line) });
  const tracing = await startTracing({ settings: readSettings(env).tracing, role: 'test', registry, logger });
  return { tracing, registry, lines };
}

function someSpans(count: number): Span[] {
  const traceId = mintTraceId();
  const common = { name: 'x', kind: 'internal', traceId, startMs: Date.now() - 5, endMs: Date.now() } as const;
  return Array.from({ length: count }, () => ({ ...common, spanId: mintSpanId() }));
}

async function counted(registry: Registry): Promise<Record<string, number>> {
  const { values = [] } = (await registry.getSingleMetric('inference_spans_total')?.get()) ?? {};
  return Object.fromEntries(values.map(({ labels, value }) => [String(labels['result']), value]));
}

/** Of this thread's processor time: what others do on the machine is no fault of the work. */
function busyMs(work: () => void): number {
  const before = process.threadCpuUsage();
  work();
  const { user, system } = process.threadCpuUsage(before);
  return (user + system) / 1000;
}

async function elapsedMs(work: () => Promise<unknown>): Promise<number> {
  const startedMs = performance.now();
  await work();
  return performance.now() - startedMs;
}

// A second is all that a stop has: not beside the tests below, which keep the loop busy.
describe('a stop', () => {
  for (const [name, environment] of Object.entries(environments)) {
    it(`sends what is left by ${name}, and nothing afterwards`, async () => {
      let requests = 0;
      const url = await answering((request, response) => {
        requests++;
        request.resume().on('end', () => response.end());
      });
      const { tracing, registry } = await open(environment(url));
      tracing.record(someSpans(7));
      await tracing.stop();
      tracing.record(someSpans(3));
      assert.ok(requests > 0);
      assert.deepEqual(await counted(registry), { exported: 7, failed: 0, dropped: 3 });
    });
  }
});

// They wait for deadlines most of the time.
describe('exporting', { concurrency: true }, () => {
  it('has room again for what has left: more spans than the queue holds all arrive, one round after the other', async () => {
    const url = await answering((request, response) => void request.resume().on('end', () => response.end()));
    const { tracing, registry } = await open(environments.otlp(url));
    for (let round = 1; round <= 3; round++) {
      tracing.record(someSpans(4000));
      await waitUntil('they have left', async () => (await counted(registry))['exported'] === round * 4000);
    }
    assert.equal((await counted(registry))['dropped'], 0);
    await tracing.stop();
  });

  for (const [name, environment] of Object.entries(environments)) {
    describe(`the ${name} exporter`, { concurrency: true }, () => {
      it('counts what a refusing collector did not take, says so once, and goes on when it takes them again', async () => {
        let status = 503;
        const url = await answering((request, response) => {
          response.statusCode = status;
          request.resume().on('end', () => response.end());
        });
        const { tracing, registry, lines } = await open(environment(url));
        tracing.record(someSpans(5));
        await waitUntil('they have failed', async () => (await counted(registry))['failed'] === 5);
        tracing.record(someSpans(5));
        await waitUntil('they too', async () => (await counted(registry))['failed'] === 10);
        status = 200;
        tracing.record(someSpans(4));
        await waitUntil('the next are taken', async () => (await counted(registry))['exported'] === 4);
        assert.equal(lines.length, 2, lines.join(''));
        await tracing.stop();
      });

      it('loses nothing to a slow collector, and holds nobody up', async () => {
        const url = await answering((request, response) => {
          request.resume().on('end', () => setTimeout(() => response.end(), 400));
        });
        const { tracing, registry } = await open(environment(url));
        const ms = busyMs(() => {
          for (let i = 0; i < 100; i++) tracing.record(someSpans(10));
        });
        assert.ok(ms < 500, `${Math.round(ms)} ms to record 1,000 spans`);
        await waitUntil('all are there', async () => (await counted(registry))['exported'] === 1000);
        await tracing.stop();
      });

      it('stops before its batches are given up in front of a collector that is dead or silent', async () => {
        for (const url of [`http://127.0.0.1:${await freePort()}`, await silence()]) {
          const { tracing } = await open(environment(url));
          tracing.record(someSpans(2000));
          const ms = await elapsedMs(() => tracing.stop());
          // A second, and what a busy machine adds; who waited for all batches would take 24 s or 60.
          assert.ok(ms < 10_000, `${Math.round(ms)} ms for ${url}`);
        }
      });

      it('drops whole groups when its queue is full, holds nobody up, and leaves no socket behind', async () => {
        const url = await silence();
        const { tracing, registry } = await open(environment(url));
        const groups = Array.from({ length: 1000 }, () => someSpans(20));
        const ms = busyMs(() => {
          for (const group of groups) tracing.record(group);
        });
        const { dropped = 0 } = await counted(registry);
        assert.ok(dropped >= 20_000 - 8192 && dropped % 20 === 0, `${dropped} dropped`);
        assert.ok(ms < 1500, `${Math.round(ms)} ms to record 20,000 spans`);
        // Two batches later: each passed its deadline, and its socket is gone with it.
        await waitUntil(
          'two batches were given up',
          async () => ((await counted(registry))['failed'] ?? 0) > (spansPerBatch[name] ?? 0),
        );
        const left = sockets.get(url)?.size ?? 0;
        assert.ok(left <= 2, `${left} sockets`);
        await tracing.stop();
      });
    });
  }
});

describe('a process with a silent collector', () => {
  it('exits when it is told to, without waiting for its batches', async () => {
    const url = await silence();
    const child = spawn(process.execPath, [join(import.meta.dirname, '../../testing/traced-process.ts')], {
      env: { ...process.env, ...environments.jaeger(url), LOG_LEVEL: 'silent' },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    await new Promise((resolve) => child.stdout.once('data', resolve));
    const ms = await elapsedMs(async () => {
      child.kill('SIGTERM');
      await new Promise((resolve) => child.once('exit', resolve));
    });
    assert.equal(child.exitCode, 0);
    // A second, and what a busy machine adds; ten batches that are given up take 30 s.
    assert.ok(ms < 15_000, `${Math.round(ms)} ms`);
  });
});
