/**
 * The HTTP server around the app: timeouts, bounds on headers and connections, and answers to what is not HTTP at all.
 * Node's defaults (60 s for headers, 300 s for bodies, a bare status line for bad requests) are set right here.
 */
import { createServer, type Server, STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import type { Express } from 'express';
import type { ProblemSlug } from '../../shared/problems/catalogue.ts';
import { Problem } from '../../shared/problems/problem.ts';

/** Above what one process should hold: 2,000 streams and as many waiting callers, and then some. */
const connectionsMax = 8192;

export interface ServerTimeouts {
  readonly headersMs: number;
  /** For the slowest body that is accepted; `body-deadline.ts` is stricter with small ones. */
  readonly requestMs: number;
}

export function createApiServer(app: Express, timeouts: ServerTimeouts): Server {
  const server = createServer({
    headersTimeout: timeouts.headersMs,
    requestTimeout: timeouts.requestMs,
    connectionsCheckingInterval: Math.min(1000, timeouts.headersMs),
    keepAliveTimeout: 65_000,
    maxHeaderSize: 16 * 1024,
    requireHostHeader: false, // The app answers that with a problem; Node would with an empty 400.
  });
  server.maxConnections = connectionsMax;
  server.on('request', app);
  server.on('checkContinue', app); // Bodies are asked for by whoever reads them: a refused one is never sent.
  server.on('clientError', (error: NodeJS.ErrnoException, socket) => answerClientError(error, socket as Socket));
  return server;
}

/** Longer than any answer takes; a body that still comes after that is cut off. */
const closeMsMax = 15_000;

/** No new connections; requests under way end, and each connection is closed as soon as it is idle. */
export async function closeApiServer(server: Server): Promise<void> {
  if (!server.listening) return;
  const deadline = performance.now() + closeMsMax;
  await new Promise<void>((resolve) => {
    // Kept-alive connections become idle one by one, after the answer that they wait for.
    const timer = setInterval(() => {
      if (performance.now() > deadline) server.closeAllConnections();
      else server.closeIdleConnections();
    }, 20);
    server.close(() => {
      clearInterval(timer);
      resolve();
    });
  });
}

function answerClientError(error: NodeJS.ErrnoException, socket: Socket): void {
  // An answer under way on this connection can not be taken back.
  const current = (socket as Socket & { _httpMessage?: { headersSent: boolean } })._httpMessage;
  if (error.code === 'ECONNRESET' || !socket.writable || current?.headersSent) {
    socket.destroy();
    return;
  }
  const body = JSON.stringify(clientProblem(error.code).toDetails());
  const { status } = clientProblem(error.code);
  const head = [
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}`,
    'Content-Type: application/problem+json',
    `Content-Length: ${Buffer.byteLength(body)}`,
    'Connection: close',
  ];
  socket.end(`${head.join('\r\n')}\r\n\r\n${body}`);
  setTimeout(() => socket.destroy(), 1000).unref();
}

function clientProblem(code: string | undefined): Problem {
  const [slug, detail]: [ProblemSlug, string] =
    code === 'HPE_HEADER_OVERFLOW'
      ? ['headers-too-large', 'URL and headers pass 16 KiB. Shorten them.']
      : code === 'ERR_HTTP_REQUEST_TIMEOUT'
        ? ['request-timeout', 'Headers or body did not arrive in time.']
        : ['bad-request', 'The bytes received are not a valid HTTP request.'];
  return new Problem(slug, detail);
}
