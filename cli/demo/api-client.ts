/** The few calls to Millrace's own API that the demo makes: over HTTP, as any caller would. */
import { openAsBlob } from 'node:fs';
import { basename } from 'node:path';
import type { Job } from '../../shared/jobs/job.ts';
import type { DemoSample } from './samples.ts';

/** As `GET /v1/models` shows a model, as far as the demo reads it. */
export interface ListedModel {
  readonly id: string;
  readonly task: string;
  readonly status: string;
  readonly error: string | undefined;
}

export class ApiClient {
  readonly #origin: string;
  readonly #headers: Readonly<Record<string, string>>;
  readonly #signal: AbortSignal;

  constructor(origin: string, key: string | undefined, signal: AbortSignal) {
    this.#origin = origin;
    this.#headers = key ? { Authorization: `Bearer ${key}` } : {};
    this.#signal = signal;
  }

  async listModels(): Promise<ListedModel[]> {
    const body = (await this.#ask('/v1/models', {}, 10_000)) as { data: Record<string, unknown>[] };
    return body.data.map((model) => ({
      id: String(model['id']),
      task: String(model['task'] ?? ''),
      status: String(model['status']),
      error: describeError(model['error']),
    }));
  }

  /** Submits one item and waits up to 30 s; a job that is still going on is asked for again. */
  async run(model: string, input: DemoSample['input']): Promise<Job> {
    if ('file' in input) return await this.#untilDone(await this.#submitFile(model, input.file));
    return await this.#untilDone(await this.#submit({ model, input: 'text' in input ? input.text : input.value }));
  }

  /** Submits several texts as one job of as many items. */
  async runTexts(model: string, texts: readonly string[]): Promise<Job> {
    return await this.#untilDone(await this.#submit({ model, inputs: texts }));
  }

  async #submitFile(model: string, file: string): Promise<Job> {
    const body = new FormData();
    body.set('model', model);
    body.set('file', await openAsBlob(file), basename(file));
    return (await this.#ask('/v1/jobs', { method: 'POST', headers: { Prefer: 'wait=30' }, body })) as Job;
  }

  async #submit(fields: { model: string; input?: unknown; inputs?: readonly string[] }): Promise<Job> {
    const headers = { Prefer: 'wait=30', 'Content-Type': 'application/json' };
    return (await this.#ask('/v1/jobs', { method: 'POST', headers, body: JSON.stringify(fields) })) as Job;
  }

  async #untilDone(job: Job): Promise<Job> {
    let current = job;
    for (let round = 0; round < 3 && (current.status === 'queued' || current.status === 'processing'); round += 1) {
      current = (await this.#ask(`/v1/jobs/${current.id}`, { headers: { Prefer: 'wait=30' } })) as Job;
    }
    return current;
  }

  async #ask(path: string, init: RequestInit, timeoutMs = 40_000): Promise<unknown> {
    const signal = AbortSignal.any([this.#signal, AbortSignal.timeout(timeoutMs)]);
    const headers = { ...this.#headers, ...(init.headers as Record<string, string>) };
    const response = await fetch(new URL(path, this.#origin), { ...init, headers, signal });
    const body = await response.text();
    if (!response.ok)
      throw new Error(`${init.method ?? 'GET'} ${path} answered ${response.status}: ${body.slice(0, 500)}`);
    return JSON.parse(body);
  }
}

function describeError(error: unknown): string | undefined {
  if (error === null || error === undefined) return undefined;
  if (typeof error === 'string') return error;
  const { detail, title, message } = error as Record<string, unknown>;
  return String(detail ?? title ?? message ?? JSON.stringify(error));
}
