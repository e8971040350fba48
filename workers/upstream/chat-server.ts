/**
 * The door to one server that runs a model: a question goes out by chat completions, a verdict comes back, whatever went
 * wrong. The key is read from the environment for each request and stands in no reason, trace or log.
 */
import type { ChatAnswer, ChatQuestion } from '../../models/chat/chat-plan.ts';
import { judgeCheck, type Refusal, readRefusal } from '../../models/chat/read-refusal.ts';
import { readReply } from '../../models/chat/read-reply.ts';
import { renderRequest } from '../../models/chat/request-body.ts';
import type { Upstream } from '../../models/repository/upstream.ts';
import { readNamedSecret, SecretFault } from '../../shared/config/named-secret.ts';
import { OperatorHttp, type OperatorRequest, ReplyTooLong, TransportFault } from '../../shared/net/operator-http.ts';
import { Problem } from '../../shared/problems/problem.ts';

/** 4,096 tokens, the most that a caller may ask for, are 16 to 64 KB of text. */
const replyBytesMax = 1 << 20;
/** A list of models is at hand at once, also where calls take minutes. */
const checkMsMax = 10_000;

export type Verdict =
  | { readonly kind: 'answered'; readonly answer: ChatAnswer }
  | (Refusal & { readonly retryAfterSeconds?: number | null })
  /** The caller's signal aborted it. */
  | { readonly kind: 'dropped' };

export interface AskOptions {
  readonly signal: AbortSignal;
  readonly traceparent?: string | undefined;
}

export class ChatServer {
  readonly #upstream: Upstream;
  readonly #http: OperatorHttp;

  constructor(upstream: Upstream) {
    this.#upstream = upstream;
    this.#http = new OperatorHttp(upstream.url, upstream.concurrencyMax);
  }

  /** Never rejects. */
  async ask(question: ChatQuestion, { signal, traceparent }: AskOptions): Promise<Verdict> {
    const { url, timeoutSeconds } = this.#upstream;
    const verdict = await this.#send(
      {
        method: 'POST',
        url: `${url}/chat/completions`,
        headers: { 'content-type': 'application/json', ...(traceparent && { traceparent }) },
        body: renderRequest(question, this.#upstream),
        timeoutMs: timeoutSeconds * 1000,
        replyBytesMax,
        signal,
      },
      (status, body) => (status === 200 ? readAnswer(body) : readRefusal(status, body)),
    );
    return verdict ?? { kind: 'faulty', reason: 'it gives no answer' };
  }

  /** Whether it runs and takes the key, without asking anything of the model; null when all is well. Never rejects. */
  async check(signal: AbortSignal): Promise<Verdict | null> {
    const url = `${this.#upstream.url}/models`;
    return await this.#send(
      { method: 'GET', url, headers: {}, timeoutMs: checkMsMax, replyBytesMax, signal },
      judgeCheck,
    );
  }

  close(): void {
    this.#http.close();
  }

  async #send<V extends Verdict | null>(
    request: OperatorRequest,
    judge: (status: number, body: string) => V,
  ): Promise<V | Verdict> {
    try {
      const key = this.#readKey();
      const headers = { ...request.headers, ...(key !== null && { authorization: `Bearer ${key}` }) };
      const { status, body, retryAfterSeconds } = await this.#http.send({ ...request, headers });
      // A server may repeat the key in its words about it.
      const verdict = judge(status, key === null ? body : body.replaceAll(key, '…'));
      return verdict === null || retryAfterSeconds === null ? verdict : { ...verdict, retryAfterSeconds };
    } catch (error) {
      return request.signal?.aborted ? { kind: 'dropped' } : verdictOf(error);
    }
  }

  #readKey(): string | null {
    const { apiKeyEnv } = this.#upstream;
    if (apiKeyEnv === null) return null;
    const key = readNamedSecret(apiKeyEnv);
    if (key === null) throw new SecretFault(`${apiKeyEnv} is not set where the worker runs`);
    if (!/^[\x21-\x7e]+$/.test(key)) throw new SecretFault(`${apiKeyEnv} holds what can be no key`);
    return key;
  }
}

function readAnswer(body: string): Verdict {
  const reply = readReply(body);
  if ('answer' in reply) return { kind: 'answered', answer: reply.answer };
  if ('problem' in reply) return { kind: 'item', problem: reply.problem };
  return { kind: 'faulty', reason: `its answer is no chat completion (${reply.malformed})` };
}

function verdictOf(error: unknown): Verdict {
  if (error instanceof SecretFault) return { kind: 'denied', reason: error.message };
  if (error instanceof ReplyTooLong)
    return {
      kind: 'item',
      problem: new Problem('upstream-failed', `The server that runs the model: ${error.message}.`),
    };
  if (error instanceof TransportFault) return { kind: error.reached ? 'faulty' : 'away', reason: error.message };
  return { kind: 'away', reason: (error as Error).message };
}
