/**
 * One HTTP request and its answer, with what every part wants to know of it: request id, trace, tenant, route. Made first,
 * before anything can fail. Knows nothing of jobs.
 */
import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Tracing } from '../../shared/observability/tracing/span.ts';
import { RequestTrace } from '../tracing/request-trace.ts';

const requestIdPattern = /^[A-Za-z0-9._-]{1,64}$/;

export class Call {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  /** Sent back as X-Request-Id and in every problem; the caller's own when it is a plain word. */
  readonly id: string;
  /** Of this request's span, when it is recorded; sent back, and kept with a job that it submits. */
  readonly traceparent: string;
  /** Null unless this request is recorded. */
  readonly trace: RequestTrace | null;
  readonly startedMs = performance.now();
  /** Name, value, name, value: of every answer. As one list they take 1.3 us, where as many calls of setHeader took 3.3. */
  fixedHeaders: readonly string[] = [];
  /** Path without its query. */
  readonly path: string;
  /** Decoded parameters of the route's path. */
  parameters: Readonly<Record<string, string>> = {};
  /** Pattern of the route, for metrics; never a path that a caller made up. */
  route = 'unmatched';
  /** Set by authentication. */
  tenant = '';
  /** Set by routes that make or name a job, for the log. */
  job: string | undefined;
  readonly #search: string;
  #query: URLSearchParams | undefined;

  constructor(request: IncomingMessage, response: ServerResponse, tracing: Tracing) {
    this.request = request;
    this.response = response;
    const given = request.headers['x-request-id'];
    this.id = typeof given === 'string' && requestIdPattern.test(given) ? given : `req_${randomUUID()}`;
    const traceparent = header(request, 'traceparent');
    // Who polls asks a hundred times for each job: reads are recorded only for callers that trace them.
    const isRead = request.method === 'GET' || request.method === 'HEAD' || request.method === 'OPTIONS';
    this.traceparent = tracing.accept(traceparent, !isRead);
    this.trace = RequestTrace.of(tracing, this.traceparent, traceparent);
    const url = request.url ?? '/';
    const mark = url.indexOf('?');
    this.path = mark < 0 ? url : url.slice(0, mark);
    this.#search = mark < 0 ? '' : url.slice(mark + 1);
  }

  get hasQuery(): boolean {
    return this.#search !== '';
  }

  get query(): URLSearchParams {
    this.#query ??= new URLSearchParams(this.#search);
    return this.#query;
  }

  header(name: string): string | undefined {
    return header(this.request, name);
  }

  /** Status and headers of the answer, `headers` behind those that every answer has. */
  begin(status: number, headers: Readonly<Record<string, string>>): void {
    const list = [...this.fixedHeaders];
    for (const name in headers) list.push(name, headers[name] as string);
    this.response.writeHead(status, list);
  }

  /** Aborts when the caller hangs up before the answer is out. Ask for it only where something waits. */
  disconnectSignal(): AbortSignal {
    const controller = new AbortController();
    const { response } = this;
    if (response.destroyed) controller.abort();
    response.once('close', () => {
      if (!response.writableFinished) controller.abort();
    });
    return controller.signal;
  }
}

function header(request: IncomingMessage, name: string): string | undefined {
  const value = request.headers[name];
  return Array.isArray(value) ? value.join(', ') : value;
}
