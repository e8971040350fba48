/**
 * The admin port: `/metrics` of all processes of this launcher put together, `/livez`, and the way to the operator's pages
 * below `/admin`, which a process of their own serves and guards: when it is down, the metrics are still here. They are
 * open on the loopback; on any other address a Bearer token guards them. Prometheus scrapes one address instead of ports
 * that change at every start.
 */
import {
  createServer,
  type IncomingHttpHeaders,
  type IncomingMessage,
  request,
  type Server,
  type ServerResponse,
} from 'node:http';
import type { AddressInfo } from 'node:net';
import { AggregatorRegistry, type Registry } from 'prom-client';
import { bearerOf, isSameSecret } from '../../shared/net/bearer.ts';

export interface AdminWish {
  readonly host: string;
  readonly port: number;
  /** Needed from callers when set. */
  readonly token: string | undefined;
  /** Ports on the loopback that serve `/metrics.json`. */
  readonly metricsPorts: () => readonly number[];
  /** Port on the loopback of the process behind `/admin`; undefined while there is none. */
  readonly boardPort: () => number | undefined;
  /** The launcher's own metrics. */
  readonly own: Registry;
}

export interface AdminServer {
  readonly port: number;
  stop(): Promise<void>;
}

/** Who sends a header now and then, to hold a connection, is cut off; Node would look every 30 s. */
const requestDeadlines = { headersTimeout: 10_000, requestTimeout: 10_000, connectionsCheckingInterval: 1000 };
/** A browser has six, Prometheus one. */
const connectionsMax = 256;
/** A process that hangs must not hide the others' metrics; Prometheus gives up after 10 s by default. */
const childDeadlineMs = 2000;
/** A page is made within seconds; a browser that sends nothing more is not waited for. */
const pageDeadlineMs = 30_000;

type MetricsJson = Awaited<ReturnType<Registry['getMetricsAsJSON']>>;

export async function serveAdmin(wish: AdminWish): Promise<AdminServer> {
  const server: Server = createServer(requestDeadlines, (from, response) => {
    answer(wish, from, response).catch(() => response.destroy());
  });
  server.maxConnections = connectionsMax;
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

async function answer(wish: AdminWish, from: IncomingMessage, response: ServerResponse): Promise<void> {
  const path = (from.url ?? '').split('?')[0];
  if (path === '/livez') return end(response, 200, 'ok\n');
  if (path === '/' || path === '/admin' || path?.startsWith('/admin/')) return forward(wish, from, response);
  if (path !== '/metrics') return end(response, 404, 'Not found. Here are /admin, /metrics and /livez.\n');
  if (wish.token !== undefined && !isAllowed(from, wish.token)) {
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

function isAllowed(from: IncomingMessage, token: string): boolean {
  return isSameSecret(bearerOf(from.headers.authorization) ?? '', token);
}

/** Hands a request on as it is, with the address that it came from: the board counts wrong tokens by it. */
function forward({ boardPort }: AdminWish, from: IncomingMessage, to: ServerResponse): void {
  const port = boardPort();
  if (port === undefined) {
    end(to, 503, 'The board is starting. Try again in a few seconds.\n');
    return;
  }
  const headers = { ...withoutHop(from.headers), 'x-forwarded-for': from.socket.remoteAddress ?? '' };
  const ask = request({ host: '127.0.0.1', port, method: from.method, path: from.url, headers });
  ask.setTimeout(pageDeadlineMs, () => ask.destroy());
  ask.on('response', (answer) => {
    to.writeHead(answer.statusCode ?? 502, withoutHop(answer.headers));
    answer.pipe(to);
    answer.on('error', () => to.destroy());
  });
  ask.on('error', () => {
    if (to.headersSent) to.destroy();
    else end(to, 503, 'The board does not answer. It is started again by itself.\n');
  });
  to.on('close', () => ask.destroy());
  from.pipe(ask);
}

/** About one connection only: each side has its own. */
const hopHeaders = [
  'connection',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'te',
  'trailer',
  'upgrade',
];
/** Says where the body ends: without it the rest of a body would be read as the next request. */
const framing = ['content-length', 'transfer-encoding'];

/** Without what is about one connection only, and what `Connection` says is. */
function withoutHop(headers: IncomingHttpHeaders): IncomingHttpHeaders {
  const named = (headers.connection ?? '').toLowerCase().split(/[\s,]+/);
  const isHop = (name: string) => hopHeaders.includes(name) || (named.includes(name) && !framing.includes(name));
  return Object.fromEntries(Object.entries(headers).filter(([name]) => !isHop(name)));
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
