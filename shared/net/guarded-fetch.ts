/**
 * Requests to URLs that callers gave: a download to a file (at most three redirects, each hop checked anew) and a POST
 * (none). Every request has a deadline, a byte limit on what is decoded, and no proxy. Trouble is thrown as Problems
 * that name neither addresses nor the remote body; trouble of this machine (disk full) is thrown as it is.
 */
import { type FileHandle, open, rm } from 'node:fs/promises';
import { request as httpRequest, type IncomingMessage, type RequestOptions } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { type Duplex, PassThrough, Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createBrotliDecompress, createGunzip, createInflate } from 'node:zlib';
import { Problem } from '../problems/problem.ts';
import { guardedAgent, isBlocked, type NameResolver } from './guarded-agent.ts';
import { type AllowedHosts, checkUrl } from './url-policy.ts';

const redirectsMax = 3;
const redirectStatuses = new Set([301, 302, 303, 307, 308]);
/** What is read of an answer to a POST, out of courtesy: its status is all that counts. */
const answerBytesMax = 16_384;
const answerMs = 1000;
const localCodes = new Set(['ENOSPC', 'EDQUOT', 'EIO', 'EFBIG', 'EMFILE', 'ENFILE']);

interface GuardedOptions {
  /** What the operator allows beside the public internet. */
  readonly allowed: AllowedHosts;
  /** For the whole of it: names, connections, redirects, body. */
  readonly timeoutMs: number;
  readonly signal?: AbortSignal;
  /** JSON pointer of the field that held the URL. */
  readonly pointer?: string;
  readonly resolver?: NameResolver;
}

export interface DownloadOptions extends GuardedOptions {
  /** A file that does not exist; it is removed again when the download fails. */
  readonly path: string;
  readonly bytesMax: number;
  /** Over each window of 5 s; 1,024 unless told. */
  readonly minBytesPerSecond?: number;
  readonly rateWindowMs?: number;
}

export interface PostOptions extends GuardedOptions {
  readonly headers: Readonly<Record<string, string>>;
}

/** Fetches into `path`. `type` is the Content-Type as the host claims it, without parameters, '' when it claims none. */
export async function downloadToFile(url: string, options: DownloadOptions): Promise<{ bytes: number; type: string }> {
  checkUrl(url, options.allowed, options.pointer ?? '/input/url');
  const file = await open(options.path, 'wx');
  const deadline = new Deadline(options);
  try {
    const response = await follow(url, options, deadline);
    const bytes = await store(response, file, options, deadline);
    return { bytes, type: (response.headers['content-type'] ?? '').split(';')[0]?.trim().toLowerCase() ?? '' };
  } catch (error) {
    await file.close().catch(() => {});
    await rm(options.path, { force: true });
    throw deadline.explain(error);
  } finally {
    deadline.clear();
  }
}

/** Sends JSON text. Resolves with any status, redirects included; throws when there was no answer. */
export async function postJson(
  url: string,
  body: string,
  options: PostOptions,
): Promise<{ status: number; retryAfterSeconds: number | null }> {
  const target = checkUrl(url, options.allowed, options.pointer ?? '/webhook/url');
  const deadline = new Deadline(options);
  const bytes = Buffer.from(body);
  const headers = { ...options.headers, 'content-type': 'application/json', 'content-length': `${bytes.length}` };
  try {
    const response = await send(target, { method: 'POST', headers }, options, deadline.signal, bytes);
    drain(response);
    return {
      status: response.statusCode ?? 0,
      retryAfterSeconds: parseRetryAfter(response.headers['retry-after'], Date.now()),
    };
  } catch (error) {
    throw deadline.explain(error);
  } finally {
    deadline.clear();
  }
}

/** Seconds from a Retry-After header (a number, or a date); null when there is none or it makes no sense. */
export function parseRetryAfter(header: string | undefined, nowMs: number): number | null {
  if (header === undefined) return null;
  if (/^\s*\d{1,9}\s*$/.test(header)) return Number(header);
  // Date.parse alone takes "-5" for the year 2001.
  const ms = /GMT\s*$/.test(header) ? Date.parse(header) : Number.NaN;
  return Number.isNaN(ms) ? null : Math.max(0, Math.ceil((ms - nowMs) / 1000));
}

/** The end of a request's time, and what to make of an error once it has come. */
class Deadline {
  readonly #controller = new AbortController();
  readonly #timer: NodeJS.Timeout;
  readonly #caller: AbortSignal | undefined;
  readonly signal: AbortSignal;

  constructor({ timeoutMs, signal }: GuardedOptions) {
    this.#caller = signal;
    this.#timer = setTimeout(() => this.end(`No complete answer within ${timeoutMs / 1000} s.`), timeoutMs);
    this.signal = signal ? AbortSignal.any([this.#controller.signal, signal]) : this.#controller.signal;
  }

  /** Ends the request before its time. */
  end(detail: string): void {
    this.#controller.abort(new Problem('remote-timeout', detail));
  }

  clear(): void {
    clearTimeout(this.#timer);
  }

  /** The error to throw: the caller's own reason, the timeout, or what the error says. */
  explain(error: unknown): unknown {
    if (this.#caller?.aborted) return this.#caller.reason;
    if (this.#controller.signal.aborted) return this.#controller.signal.reason;
    if (error instanceof Problem) return error;
    if (isBlocked(error)) return new Problem('blocked-address', 'The URL leads to a private or reserved address.');
    const code = (error as NodeJS.ErrnoException).code;
    if (code !== undefined && localCodes.has(code)) return error;
    const named = code && /^[A-Z0-9_]{3,40}$/.test(code) ? ` (${code})` : '';
    return new Problem('remote-error', `The host behind the URL could not be read${named}.`, { cause: error });
  }
}

async function follow(first: string, options: DownloadOptions, deadline: Deadline): Promise<IncomingMessage> {
  let target = checkUrl(first, options.allowed, options.pointer ?? '/input/url');
  for (let hop = 0; hop <= redirectsMax; hop++) {
    const headers = { 'accept-encoding': 'identity', accept: '*/*' };
    const response = await send(target, { method: 'GET', headers }, options, deadline.signal);
    const { statusCode = 0 } = response;
    if (statusCode === 200) return response;
    response.destroy();
    const { location } = response.headers;
    if (!redirectStatuses.has(statusCode) || location === undefined) {
      throw new Problem('remote-error', `The host behind the URL answered ${statusCode}.`);
    }
    if (!URL.canParse(location, target.href)) throw new Problem('remote-error', 'The URL redirects to what is no URL.');
    target = checkUrl(new URL(location, target).href, options.allowed, options.pointer ?? '/input/url');
  }
  throw new Problem('too-many-redirects', `The URL redirects more than ${redirectsMax} times.`);
}

async function send(
  target: URL,
  what: { method: string; headers: Record<string, string> },
  { allowed, resolver }: GuardedOptions,
  signal: AbortSignal,
  body?: Buffer,
): Promise<IncomingMessage> {
  signal.throwIfAborted();
  const options: RequestOptions = {
    method: what.method,
    headers: { 'user-agent': 'millrace', ...what.headers },
    agent: guardedAgent(target, allowed, resolver),
    signal,
  };
  return await new Promise((resolve, reject) => {
    const request = (target.protocol === 'https:' ? httpsRequest : httpRequest)(target, options, resolve);
    request.on('error', reject);
    // An answer that is none (101 Switching Protocols) only closes.
    request.once('close', () => reject(new Error('The connection closed without an answer.')));
    request.end(body);
  });
}

async function store(
  response: IncomingMessage,
  file: FileHandle,
  options: DownloadOptions,
  deadline: Deadline,
): Promise<number> {
  const { bytesMax, minBytesPerSecond = 1024, rateWindowMs = 5000 } = options;
  const tooLarge = () => new Problem('remote-too-large', `The file behind the URL has more than ${bytesMax} bytes.`);
  if (Number(response.headers['content-length'] ?? 0) > bytesMax) {
    response.destroy();
    throw tooLarge();
  }
  const decoder = decoderFor(response);
  let received = 0;
  response.on('data', (chunk: Buffer) => {
    received += chunk.length;
  });
  const watch = setInterval(() => {
    const rate = (received * 1000) / rateWindowMs;
    received = 0;
    if (rate < minBytesPerSecond)
      deadline.end(`The host sent ${Math.round(rate)} bytes a second; ${minBytesPerSecond} are the least.`);
  }, rateWindowMs);
  let bytes = 0;
  const limit = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      bytes += chunk.length;
      if (bytes > bytesMax) done(tooLarge());
      else done(null, chunk);
    },
  });
  try {
    await pipeline(response, decoder, limit, file.createWriteStream(), { signal: deadline.signal });
  } finally {
    clearInterval(watch);
    response.destroy();
  }
  return bytes;
}

/** One layer of compression is undone; two are a bomb's way to grow a thousandfold twice. */
function decoderFor(response: IncomingMessage): Duplex {
  const encoding = (response.headers['content-encoding'] ?? 'identity').trim().toLowerCase();
  const transfer = (response.headers['transfer-encoding'] ?? 'chunked').trim().toLowerCase();
  if (encoding.includes(',') || transfer !== 'chunked') {
    response.destroy();
    throw new Problem('remote-too-large', 'The host behind the URL sends chained content encodings.');
  }
  switch (encoding) {
    case '':
    case 'identity':
      return new PassThrough();
    case 'gzip':
    case 'x-gzip':
      return createGunzip();
    case 'deflate':
      return createInflate();
    case 'br':
      return createBrotliDecompress();
    default:
      response.destroy();
      throw new Problem('remote-error', 'The host behind the URL sends an unknown content encoding.');
  }
}

/** Reads a short answer so that the receiver sees a clean end, and hangs up on a long one. */
function drain(response: IncomingMessage): void {
  let bytes = 0;
  const timer = setTimeout(() => response.destroy(), answerMs);
  response.on('data', (chunk: Buffer) => {
    bytes += chunk.length;
    if (bytes > answerBytesMax) response.destroy();
  });
  response.on('error', () => {});
  response.once('close', () => clearTimeout(timer));
}
