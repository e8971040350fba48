/** A webhook receiver on the loopback that keeps what it got and answers as a test wants. */
import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Webhook } from 'standardwebhooks';
import type { WebhookEvent } from '../render-event.ts';

export interface Received {
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
  readonly event: WebhookEvent;
  readonly atMs: number;
}

export type Answer = (response: ServerResponse, received: Received) => void;

export interface Receiver {
  readonly url: string;
  readonly received: Received[];
  /** Replaces the answer; 200 at first. */
  answer: Answer;
  /** Of one job, in order of arrival. */
  of(jobId: string): Received[];
  stop(): Promise<void>;
}

export async function startReceiver(answer: Answer = (response) => response.end('ok')): Promise<Receiver> {
  const received: Received[] = [];
  const server = createServer((request, response) => {
    let body = '';
    request.on('data', (chunk) => {
      body += chunk;
    });
    request.on('end', () => {
      const event = JSON.parse(body) as WebhookEvent;
      const one = { path: request.url ?? '', headers: request.headers, body, event, atMs: performance.now() };
      received.push(one);
      receiver.answer(response, one);
    });
  });
  server.on('connection', (socket) => socket.on('error', () => {}));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const receiver: Receiver = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook`,
    received,
    answer,
    of: (jobId) => received.filter(({ event }) => event.data.id === jobId),
    async stop() {
      server.closeAllConnections();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
  return receiver;
}

/** Throws unless the unmodified npm verifier accepts it. */
export function verify(received: Received, secret: string): void {
  new Webhook(secret).verify(received.body, received.headers as Record<string, string>);
}
