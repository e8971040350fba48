/** A client as the documentation tells people to write it: an Idempotency-Key, and the same request again until it is answered. */
import { setTimeout as sleep } from 'node:timers/promises';

interface JobAnswer {
  readonly id: string;
  readonly status: string;
  readonly error: { readonly type: string } | null;
  readonly attempts: number;
}

export class PatientClient {
  readonly #url: string;
  readonly #run: string;
  retries = 0;

  constructor(url: string, run: string) {
    this.#url = url;
    this.#run = run;
  }

  /** Submits job `number`; resolves with its id once the API has acknowledged it. */
  async submit(number: number, body: object): Promise<string> {
    const headers = { 'content-type': 'application/json', 'idempotency-key': `${this.#run}-${number}` };
    const answer = await this.#ask<JobAnswer>('/v1/jobs', { method: 'POST', headers, body: JSON.stringify(body) });
    return answer.id;
  }

  async read(id: string): Promise<JobAnswer> {
    return await this.#ask<JobAnswer>(`/v1/jobs/${id}`, {});
  }

  /** All ids that the API lists, newest first. */
  async list(): Promise<string[]> {
    const ids: string[] = [];
    for (let cursor = ''; ; ) {
      const page = await this.#ask<{ data: JobAnswer[]; next_cursor: string | null }>(
        `/v1/jobs?limit=100${cursor}`,
        {},
      );
      ids.push(...page.data.map(({ id }) => id));
      if (!page.next_cursor) return ids;
      cursor = `&cursor=${encodeURIComponent(page.next_cursor)}`;
    }
  }

  async #ask<Answer>(path: string, init: RequestInit): Promise<Answer> {
    for (let attempt = 0; ; attempt++) {
      try {
        const response = await fetch(this.#url + path, { ...init, signal: AbortSignal.timeout(15_000) });
        if (response.ok) return (await response.json()) as Answer;
        const text = await response.text();
        if (response.status !== 503 && response.status !== 429)
          throw new Refused(`${path}: ${response.status} ${text}`);
      } catch (error) {
        if (error instanceof Refused || attempt > 600) throw error;
      }
      this.retries++;
      await sleep(50 + Math.min(450, attempt * 25));
    }
  }
}

/** An answer that a repetition will not change: a fault of the system under test. */
class Refused extends Error {}
