/**
 * The admin port: `/metrics` of all processes of this launcher put together, and `/livez`. Open on the loopback; on any
 * other address a Bearer token guards it. Prometheus scrapes one address instead of ports that change at every start.
 */
import { createHash, timingSafeEqual } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { AggregatorRegistry, type Registry } from 'prom-client';

export interface AdminWish {
  readonly host: string;
  readonly port: number;
  /** Needed from callers when set. */
  readonly token: string | undefined;
  /** Ports on the loopback that serve `/metrics.json`. */
  readonly metricsPorts: () => readonly number[];
  /** The launcher's own metrics. */
  readonly own: Registry;
}

export interface AdminServer {
  readonly port: number;
  stop(): Promise<void>;
}

/** A process that hangs must not hide the others' metrics; Prometheus gives up after 10 s by default. */
const childDeadlineMs = 2000;

type MetricsJson = Awaited<ReturnType<Registry['getMetricsAsJSON']>>;

export async function serveAdmin(wish: AdminWish): Promise<AdminServer> {
  const server: Server = createServer((request, response) => {
    answer(wish, request, response).catch(() => response.destroy());
  });
  server.requestTimeout = 10_000;
  await new Promise<void>((listening, fail) => {
    server.once('error', fail);
    server.listen(wish.port, wish.host, listening);
  });
  return {
    port: (server.address() as AddressInfo).port,
    async stop() {
      server.closeAllConnections();
      await new Promise<void>((closed) => server.close(() => closed()));
    },
  };
}

async function answer(wish: AdminWish, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const path = (request.url ?? '').split('?')[0];
  if (path === '/livez') return end(response, 200, 'ok\n');
  if (path !== '/metrics') return end(response, 404, 'Not found. Here are /metrics and /livez.\n');
  if (wish.token !== undefined && !isAllowed(request, wish.token)) {
    response.setHeader('WWW-Authenticate', 'Bearer');
    return end(response, 401, 'Send "Authorization: Bearer <ADMIN_TOKEN>".\n');
  }
  const parts = await Promise.all([wish.own.getMetricsAsJSON(), ...wish.metricsPorts().map(readMetrics)]);
  const all = AggregatorRegistry.aggregate(parts.filter((part) => part !== undefined));
  const text = await all.metrics();
  response.setHeader('Content-Type', all.contentType);
  end(response, 200, text);
}

function end(response: ServerResponse, status: number, body: string): void {
  response.statusCode = status;
  if (!response.hasHeader('Content-Type')) response.setHeader('Content-Type', 'text/plain; charset=utf-8');
  response.end(body);
}

/** Compares digests, so that neither length nor content shows in the time it takes. */
function isAllowed(request: IncomingMessage, token: string): boolean {
  const digest = (text: string) => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(request.headers.authorization ?? ''), digest(`Bearer ${token}`));
}

/** Undefined when the process does not answer in time: it restarts, or hangs, and its series are absent meanwhile. */
async function readMetrics(port: number): Promise<MetricsJson | undefined> {
  try {
    const response = await fetch(`http://127.0.0.1:${port}/metrics.json`, {
      signal: AbortSignal.timeout(childDeadlineMs),
    });
    return response.ok ? ((await response.json()) as MetricsJson) : undefined;
  } catch {
    return undefined;
  }
}
