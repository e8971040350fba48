/**
 * Asks the log writer, wherever it is now: its address stands in Redis while it lives. Every question has a deadline; no
 * writer, or one without its database, is 503 with words. Knows no SQL and no routes.
 */
import { Readable } from 'node:stream';
import type { Redis } from 'ioredis';
import { keys } from '../../shared/jobs/keys.ts';
import type { LogRefusal, PredictionLogAddress } from '../../shared/predictions/words.ts';
import { Problem } from '../../shared/problems/problem.ts';
import { retryAfterSeconds } from '../jobs/retry-after.ts';

export interface LogStream {
  readonly body: Readable;
  readonly type: string;
  readonly bytes: string | null;
}

/** A question is milliseconds; one that meets an embedded database opening is seconds. */
const answerMs = 20_000;
/** A dataset of a million examples is a minute; Parquet is converted first. */
const streamMs = 600_000;
/** A writer that was killed is back within a second under a new address. */
const addressAgeMaxMs = 5000;

export class PredictionLogClient {
  readonly #redis: Redis;
  readonly #isOn: boolean;
  #address: PredictionLogAddress | undefined;
  #foundAtMs = 0;

  constructor(redis: Redis, isOn: boolean) {
    this.#redis = redis;
    this.#isOn = isOn;
  }

  /** False where nothing is recorded. */
  get isOn(): boolean {
    return this.#isOn;
  }

  /** Throws predictions-off, predictions-unavailable, or what the writer's refusal means. */
  async ask<Answer>(question: string, words: object): Promise<Answer> {
    const response = await this.#post(question, words, AbortSignal.timeout(answerMs));
    try {
      return (await response.json()) as Answer;
    } catch (error) {
      throw unavailable('The log writer stopped in the middle of its answer.', error);
    }
  }

  /** The answer as it comes. It ends when `signal` does. */
  async stream(question: string, words: object, signal: AbortSignal): Promise<LogStream> {
    const response = await this.#post(question, words, AbortSignal.any([signal, AbortSignal.timeout(streamMs)]));
    return {
      body: response.body ? Readable.fromWeb(response.body as never) : Readable.from([]),
      type: response.headers.get('content-type') ?? 'application/octet-stream',
      bytes: response.headers.get('content-length'),
    };
  }

  async #post(question: string, words: object, signal: AbortSignal): Promise<Response> {
    if (!this.#isOn) throw new Problem('predictions-off', 'MILLRACE_PREDICTIONS is off here.');
    const body = JSON.stringify(words);
    const send = async ({ url, token }: PredictionLogAddress) =>
      await fetch(`${url}/${question}`, {
        method: 'POST',
        headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
        body,
        signal,
      });
    let response: Response;
    try {
      response = await send(await this.#find(false)).catch(async (error) => {
        if (signal.aborted) throw error;
        return await send(await this.#find(true)); // It was started again since.
      });
      if (response.status === 401) response = await send(await this.#find(true));
    } catch (error) {
      if (error instanceof Problem) throw error;
      throw unavailable('The log writer did not answer.', error);
    }
    if (!response.ok) throw await toProblem(response);
    return response;
  }

  async #find(isFresh: boolean): Promise<PredictionLogAddress> {
    const now = performance.now();
    if (!isFresh && this.#address && now - this.#foundAtMs < addressAgeMaxMs) return this.#address;
    const stored = await this.#redis.get(keys.predictionLog);
    if (stored === null) {
      this.#address = undefined;
      throw unavailable('The log writer (workers/log-main.ts) is not running, or starts just now.');
    }
    this.#address = JSON.parse(stored) as PredictionLogAddress;
    this.#foundAtMs = now;
    return this.#address;
  }
}

async function toProblem(response: Response): Promise<Problem> {
  const refusal = (await response.json().catch(() => null)) as LogRefusal | null;
  const detail = refusal?.detail ?? 'The log writer failed.';
  if (refusal?.reason === 'no-prediction') return new Problem('not-found', detail);
  if (refusal?.reason === 'nothing-to-learn') return new Problem('nothing-to-learn', detail);
  if (response.status === 422) return new Problem('validation-failed', detail);
  return unavailable(detail);
}

function unavailable(detail: string, cause?: unknown): Problem {
  return new Problem('predictions-unavailable', detail, { retryAfterSeconds: retryAfterSeconds(3), cause });
}
