/** Writes answers: JSON, problems, pages. Each goes out in one write with its length known. */
import type { IncomingMessage } from 'node:http';
import type { Problem } from '../../shared/problems/problem.ts';
import type { Call } from './call.ts';

export type Headers = Readonly<Record<string, string>>;

/** How long a refused body is read on and thrown away, so that the caller gets to read the answer. */
const lingerMs = 2000;

export function sendJson(call: Call, status: number, body: unknown, headers: Headers = {}): void {
  sendJsonText(call, status, JSON.stringify(body), headers);
}

/** A body that is JSON already. */
export function sendJsonText(call: Call, status: number, json: string, headers: Headers = {}): void {
  send(call, status, 'application/json; charset=utf-8', json, headers);
}

export function sendHtml(call: Call, status: number, html: string, headers: Headers = {}): void {
  send(call, status, 'text/html; charset=utf-8', html, headers);
}

/** An answer without a body (204). */
export function sendEmpty(call: Call, status: number, headers: Headers = {}): void {
  if (call.response.headersSent) return;
  call.begin(status, headers);
  call.response.end();
}

export function sendProblem(call: Call, problem: Problem, headers: Headers = {}): void {
  const retryAfter = problem.retryAfterSeconds;
  send(call, problem.status, 'application/problem+json', JSON.stringify(problem.toDetails(call.id)), {
    ...headers,
    ...(retryAfter !== undefined && { 'Retry-After': String(Math.ceil(retryAfter)) }),
  });
}

function send(call: Call, status: number, type: string, text: string, headers: Headers): void {
  const { request, response } = call;
  if (response.headersSent || response.destroyed) return;
  const length = { 'Content-Type': type, 'Content-Length': String(Buffer.byteLength(text)) };
  if (!isBodyPending(request)) {
    call.begin(status, { 'Cache-Control': 'no-store', ...length, ...headers });
    response.end(request.method === 'HEAD' ? undefined : text);
    return;
  }
  // Closing while the caller still sends would reset the connection before the answer is read.
  call.begin(status, { 'Cache-Control': 'no-store', ...length, ...headers, Connection: 'close' });
  response.write(text);
  const end = () => {
    clearTimeout(timer);
    response.end();
  };
  const timer = setTimeout(end, lingerMs);
  request.once('end', end).once('close', end).once('error', end);
  request.resume();
}

function isBodyPending(request: IncomingMessage): boolean {
  if (request.complete || request.readableEnded || request.destroyed) return false;
  if (request.headers.expect !== undefined && request.readableFlowing === null) return false;
  const length = request.headers['content-length'];
  return request.headers['transfer-encoding'] !== undefined || (length !== undefined && length !== '0');
}
