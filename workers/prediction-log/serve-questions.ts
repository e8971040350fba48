/**
 * Answers the API over HTTP: `POST /<question>` with JSON and the token that stands in Redis beside the address. On the
 * loopback unless told otherwise. Knows no callers and no keys: the API says which tenant asks.
 */
import { timingSafeEqual } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { Logger } from '../../shared/observability/logger.ts';
import type { LogRefusal } from '../../shared/predictions/words.ts';
import { databaseFault, isCrowded, isDataFault } from './database/open-database.ts';

/** A JSON value, or bytes of a type. */
export type Answer =
  | { readonly json: unknown }
  | { readonly stream: Readable; readonly type: string; readonly bytes?: number };
/** `gone`: who asked hung up. */
export type Answerer = (question: never, gone: AbortSignal) => Promise<Answer>;

export class Refusal extends Error {
  readonly status: number;
  readonly body: LogRefusal;

  constructor(status: number, reason: LogRefusal['reason'], detail: string) {
    super(detail);
    this.status = status;
    this.body = { reason, detail };
  }
}

export interface QuestionServerWish {
  readonly answerers: ReadonlyMap<string, Answerer>;
  readonly token: string;
  readonly host: string;
  readonly port: number;
  readonly logger: Logger;
}

export interface QuestionServer {
  readonly port: number;
  stop(): Promise<void>;
}

/** A corrected output is the largest thing that is asked: the API takes 1 MB of it. */
const questionBytesMax = 2 * 2 ** 20;

/** Who sends a header now and then, to hold a connection, is cut off; Node would look every 30 s, and wait for a minute. */
const requestDeadlines = { headersTimeout: 10_000, requestTimeout: 30_000, connectionsCheckingInterval: 1000 };
/** Those of a few API processes, each with as many callers as the database answers in their 20 s. */
const connectionsMax = 2048;

export async function serveQuestions(wish: QuestionServerWish): Promise<QuestionServer> {
  const server: Server = createServer(requestDeadlines, (request, response) => {
    answer(request, response, wish).catch((error) => refuse(response, error, wish.logger));
  });
  server.maxConnections = connectionsMax;
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(wish.port, wish.host, resolve);
  });
  return {
    port: (server.address() as AddressInfo).port,
    async stop() {
      server.closeAllConnections();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}

async function answer(request: IncomingMessage, response: ServerResponse, wish: QuestionServerWish): Promise<void> {
  if (!isRight(request.headers.authorization, wish.token))
    throw new Refusal(401, 'bad-question', 'The token is wrong.');
  const answerer = wish.answerers.get((request.url ?? '').slice(1));
  if (!answerer || request.method !== 'POST') throw new Refusal(404, 'bad-question', 'There is no such question.');
  const gone = new AbortController();
  response.once('close', () => gone.abort());
  const found = await answerer((await readQuestion(request)) as never, gone.signal);
  if ('json' in found) {
    response.writeHead(200, { 'Content-Type': 'application/json' }).end(JSON.stringify(found.json));
    return;
  }
  const length = found.bytes === undefined ? {} : { 'Content-Length': String(found.bytes) };
  response.writeHead(200, { 'Content-Type': found.type, ...length });
  await pipeline(found.stream, response);
}

async function readQuestion(request: IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > questionBytesMax) throw new Refusal(413, 'bad-question', 'The question is too large.');
    chunks.push(chunk);
  }
  try {
    return JSON.parse(Buffer.concat(chunks).toString('utf8'));
  } catch {
    throw new Refusal(400, 'bad-question', 'The question is not JSON.');
  }
}

/** A cut answer must not look whole, and no answer says what the database holds. */
function refuse(response: ServerResponse, error: unknown, logger: Logger): void {
  if (response.headersSent || response.destroyed) {
    response.destroy();
    return;
  }
  const refusal = error instanceof Refusal ? error : explain(error, logger);
  response.writeHead(refusal.status, { 'Content-Type': 'application/json' }).end(JSON.stringify(refusal.body));
}

function explain(error: unknown, logger: Logger): Refusal {
  const { code, message } = databaseFault(error);
  if (isCrowded(error)) return new Refusal(503, 'busy', 'Too much is asked of the record just now.');
  logger.warn({ code, fault: message }, 'prediction log: a question failed');
  if (isDataFault(error))
    return new Refusal(422, 'bad-question', `The database refuses what the question holds (${code}).`);
  if (code === 'unknown') return new Refusal(500, 'unexpected', 'The log writer failed; its log says why.');
  return new Refusal(503, 'database-away', `The database of the record did not answer (${code}).`);
}

function isRight(header: string | undefined, token: string): boolean {
  const given = Buffer.from(header ?? '');
  const wanted = Buffer.from(`Bearer ${token}`);
  return given.length === wanted.length && timingSafeEqual(given, wanted);
}
