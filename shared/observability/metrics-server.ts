/**
 * Serves what one process says of itself: `/metrics` for Prometheus, `/metrics.json` for the launcher, which puts the
 * processes together on the admin port, `/livez` and `/readyz` for whoever restarts or routes. Private by address (the
 * loopback, or a network of containers): never for callers.
 */
import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Registry } from 'prom-client';
import type { HealthReport } from '../processes/health.ts';

export interface MetricsServer {
  readonly port: number;
  stop(): Promise<void>;
}

export interface MetricsWish {
  readonly registry: Registry;
  /** What `/readyz` answers. */
  readonly ready: () => Promise<HealthReport>;
  readonly host: string;
  readonly port: number;
}

export async function serveMetrics({ registry, ready, host, port }: MetricsWish): Promise<MetricsServer> {
  const server: Server = createServer((request, response) => {
    const answer = async () => {
      if (request.url === '/livez') {
        sendJson(response, 200, { status: 'ok' });
      } else if (request.url === '/readyz') {
        const report = await ready();
        sendJson(response, report.status === 'ready' ? 200 : 503, report);
      } else if (request.url === '/metrics') {
        response.setHeader('Content-Type', registry.contentType);
        response.end(await registry.metrics());
      } else if (request.url === '/metrics.json') {
        response.setHeader('Content-Type', 'application/json');
        response.end(JSON.stringify(await registry.getMetricsAsJSON()));
      } else {
        response.statusCode = 404;
        response.end();
      }
    };
    answer().catch(() => response.destroy());
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, resolve);
  });
  return {
    port: (server.address() as AddressInfo).port,
    async stop() {
      server.closeAllConnections();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}

function sendJson(response: ServerResponse, status: number, body: unknown): void {
  response.statusCode = status;
  response.setHeader('Content-Type', 'application/json');
  response.setHeader('Cache-Control', 'no-store');
  response.end(`${JSON.stringify(body)}\n`);
}
