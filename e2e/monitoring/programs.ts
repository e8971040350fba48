/** Programs of Prometheus' family for tests, each on a port of its own: started, waited for, and gone afterwards. */
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { endProcess } from '../../shared/testing/end-process.ts';
import { findTool } from '../../shared/testing/find-tool.ts';
import { freePort } from '../../shared/testing/free-port.ts';
import { waitUntil } from '../../shared/testing/wait-until.ts';

export interface RunningProgram {
  /** host:port */
  readonly address: string;
  stop(): Promise<void>;
}

export interface ProgramWish {
  readonly name: string;
  readonly args: (address: string) => readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** Answers 200 once it is ready. */
  readonly readyPath: string;
}

export async function startProgram({ name, args, env, readyPath }: ProgramWish): Promise<RunningProgram> {
  const address = `127.0.0.1:${await freePort()}`;
  const child = spawn(findTool(name) as string, args(address), {
    stdio: ['ignore', 'ignore', 'pipe'],
    env: { ...process.env, ...env },
  });
  let output = '';
  child.stderr?.on('data', (chunk) => (output = (output + chunk).slice(-4000)));
  try {
    await waitUntil(`${name} answers`, async () => (await fetch(`http://${address}${readyPath}`)).ok, 90_000);
  } catch (error) {
    await endProcess(child);
    throw new Error(`${name} did not start:\n${output}`, { cause: error });
  }
  return { address, stop: async () => void (await endProcess(child)) };
}

export function startRedisExporter(redis: { url: string; password: string }): Promise<RunningProgram> {
  return startProgram({
    name: 'prometheus-redis-exporter',
    args: (address) => ['--web.listen-address', address, '--redis.addr', redis.url],
    env: { REDIS_PASSWORD: redis.password },
    readyPath: '/metrics',
  });
}

export function startNodeExporter(): Promise<RunningProgram> {
  return startProgram({
    name: 'prometheus-node-exporter',
    args: (address) => [`--web.listen-address=${address}`, '--collector.disable-defaults', ...collectors],
    readyPath: '/metrics',
  });
}

const collectors = ['cpu', 'filesystem', 'meminfo', 'loadavg'].map((name) => `--collector.${name}`);

/** What the DCGM exporter says by default. Written after its list of metrics, since it needs a GPU: only names and labels count. */
export async function serveDcgm(): Promise<RunningProgram> {
  return await serveText(readFileSync(join(import.meta.dirname, 'dcgm.prom'), 'utf8'));
}

/** An exposition that does not change. */
export async function serveText(text: string): Promise<RunningProgram> {
  const server = createServer((_request, response) => response.end(text));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    address: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    async stop() {
      server.closeAllConnections();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}
