/**
 * Serves one process's metrics on the loopback: `/metrics` for Prometheus, `/metrics.json` for the launcher, which puts
 * the processes together on the admin port. Private by address: never for callers.
 */
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Registry } from 'prom-client';

export interface MetricsServer {
  readonly port: number;
  stop(): Promise<void>;
}

export async function serveMetrics(registry: Registry, port: number, host = '127.0.0.1'): Promise<MetricsServer> {
  const server: Server = createServer((request, response) => {
    const answer = async () => {
      if (request.url === '/metrics') {
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
