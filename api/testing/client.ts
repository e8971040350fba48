/** A caller of the API in tests: JSON in, status, headers and the job out. */
import type { Job } from '../../shared/jobs/job.ts';

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly job: Job;
  readonly slug: string | undefined;
}

export class Client {
  readonly #url: string;
  readonly #headers: Readonly<Record<string, string>>;

  constructor(url: string, key?: string) {
    this.#url = url;
    this.#headers = key ? { Authorization: `Bearer ${key}` } : {};
  }

  async submit(body: unknown, headers: Record<string, string> = {}, signal?: AbortSignal): Promise<Answer> {
    return await this.ask('/v1/jobs', {
      method: 'POST',
      headers: { 'Content-Type': 'application/json', ...headers },
      body: JSON.stringify(body),
      ...(signal && { signal }),
    });
  }

  async read(id: string, headers: Record<string, string> = {}): Promise<Answer> {
    return await this.ask(`/v1/jobs/${id}`, { headers });
  }

  async ask(path: string, init: RequestInit = {}): Promise<Answer> {
    const headers = { ...this.#headers, ...(init.headers as Record<string, string>) };
    const response = await fetch(new URL(path, this.#url), { ...init, headers });
    const text = await response.text();
    const body = (text ? JSON.parse(text) : {}) as Job & { type?: string };
    return {
      status: response.status,
      headers: response.headers,
      job: body,
      slug: body.type?.replace('/problems/', ''),
    };
  }
}
