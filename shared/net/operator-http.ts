/**
 * Requests to a server that the operator named in a manifest: private addresses are allowed, and callers have no say in
 * where they go. Connections are kept; every request has deadlines and a bound on what is read. Redirects are answers like
 * any other, since they would carry a key elsewhere. Not by fetch, which gives up on a head after 300 s, where a model may
 * write for an hour. For URLs of callers there is `guarded-fetch.ts`.
 */
import { Agent as HttpAgent, request as httpRequest, type IncomingMessage, type RequestOptions } from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';
import type { Socket } from 'node:net';
import { parseRetryAfter } from './guarded-fetch.ts';

/** Name, TCP and TLS; a server across the world takes 0.5 s. */
const connectMsMax = 5000;
/** A kept connection that the server closes just then was never asked: each is tried once, and there are few. */
const staleMax = 8;

export interface OperatorRequest {
  readonly method: 'GET' | 'POST';
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
  /** For all of it: some servers send a head at once, and blank lines until they have the rest. */
  readonly timeoutMs: number;
  readonly replyBytesMax: number;
  readonly signal?: AbortSignal;
}

export interface OperatorReply {
  readonly status: number;
  readonly retryAfterSeconds: number | null;
  readonly body: string;
}

/** There was no whole answer. `reached`: the server may have begun to work on it. */
export class TransportFault extends Error {
  readonly reached: boolean;

  constructor(reason: string, reached: boolean, cause?: unknown) {
    super(reason, { cause });
    this.reached = reached;
  }
}

/** More than was asked for: asking again gives the same. */
export class ReplyTooLong extends TransportFault {}

export class OperatorHttp {
  readonly #agent: HttpAgent;
  readonly #request: typeof httpRequest;

  constructor(origin: string, socketsMax: number) {
    const isSecure = origin.startsWith('https:');
    const options = { keepAlive: true, maxFreeSockets: socketsMax };
    this.#agent = isSecure ? new HttpsAgent({ ...options, rejectUnauthorized: true }) : new HttpAgent(options);
    this.#request = isSecure ? (httpsRequest as typeof httpRequest) : httpRequest;
  }

  /** Any status is an answer. Throws TransportFault, or the signal's own reason. */
  async send(request: OperatorRequest): Promise<OperatorReply> {
    const exchange = new Exchange(request);
    try {
      for (let stale = 0; ; stale++) {
        const response = await exchange.ask(this.#request, this.#agent);
        if (response !== 'stale') return await exchange.read(response);
        if (stale === staleMax) throw new Error('ECONNRESET');
      }
    } catch (error) {
      throw exchange.explain(error);
    } finally {
      exchange.clear();
    }
  }

  close(): void {
    this.#agent.destroy();
  }
}

/** One request, its deadlines, and what to make of an error. */
class Exchange {
  readonly #what: OperatorRequest;
  readonly #end = new AbortController();
  readonly #signal: AbortSignal;
  readonly #timers: NodeJS.Timeout[] = [];
  #reached = false;

  constructor(what: OperatorRequest) {
    this.#what = what;
    this.#signal = what.signal ? AbortSignal.any([what.signal, this.#end.signal]) : this.#end.signal;
    this.#limit(what.timeoutMs, `no whole answer within ${what.timeoutMs / 1000} s`);
  }

  async ask(request: typeof httpRequest, agent: HttpAgent): Promise<IncomingMessage | 'stale'> {
    this.#signal.throwIfAborted();
    const { method, url, body } = this.#what;
    const headers = { 'user-agent': 'millrace', 'accept-encoding': 'identity', ...this.#what.headers };
    const length = body === undefined ? {} : { 'content-length': String(Buffer.byteLength(body)) };
    const options: RequestOptions = { method, agent, headers: { ...headers, ...length }, signal: this.#signal };
    return await new Promise((resolve, reject) => {
      const sent = request(url, options, resolve);
      sent.once('socket', (socket) => this.#watch(socket, url.startsWith('https:')));
      sent.on('error', (error: NodeJS.ErrnoException) => {
        if (sent.reusedSocket && error.code === 'ECONNRESET' && !this.#signal.aborted) resolve('stale');
        else reject(error);
      });
      // An answer that is none (101 Switching Protocols) only closes.
      sent.once('close', () => reject(new Error('the connection closed without an answer')));
      sent.end(body);
    });
  }

  async read(response: IncomingMessage): Promise<OperatorReply> {
    const { replyBytesMax } = this.#what;
    const chunks: Buffer[] = [];
    let bytes = 0;
    for await (const chunk of response as AsyncIterable<Buffer>) {
      bytes += chunk.length;
      if (bytes > replyBytesMax) throw new ReplyTooLong(`its answer is longer than ${replyBytesMax} bytes`, true);
      chunks.push(chunk);
    }
    return {
      status: response.statusCode ?? 0,
      retryAfterSeconds: parseRetryAfter(response.headers['retry-after'], Date.now()),
      body: Buffer.concat(chunks).toString('utf8'),
    };
  }

  /** The caller's own reason, else a fault that names neither addresses nor what was sent. */
  explain(error: unknown): unknown {
    const { signal } = this.#what;
    if (signal?.aborted) return signal.reason;
    if (this.#end.signal.aborted) return new TransportFault(String(this.#end.signal.reason), this.#reached);
    if (error instanceof TransportFault) return error;
    const { code, message } = error as NodeJS.ErrnoException;
    const isNamed = code !== undefined && /^[A-Z0-9_]{3,60}$/.test(code);
    return new TransportFault(isNamed ? code : message, this.#reached, error);
  }

  clear(): void {
    for (const timer of this.#timers) clearTimeout(timer);
  }

  #limit(ms: number, reason: string): NodeJS.Timeout {
    const timer = setTimeout(() => this.#end.abort(reason), ms);
    this.#timers.push(timer);
    return timer;
  }

  #watch(socket: Socket, isSecure: boolean): void {
    if (!socket.connecting) {
      this.#reached = true;
      return;
    }
    const timer = this.#limit(connectMsMax, `no connection within ${connectMsMax / 1000} s`);
    socket.once(isSecure ? 'secureConnect' : 'connect', () => {
      clearTimeout(timer);
      this.#reached = true;
    });
  }
}
