/** The running system as operators of models ask it: JSON on the admin port, with the admin token. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ModelFault } from '../../models/repository/manifest.ts';
import type { Settings } from '../../shared/config/settings.ts';
import type { LoadedModel } from '../../shared/jobs/model-entry.ts';
import { adminOrigin } from '../admin-origin.ts';

const answerMs = 5000;

/** Nobody listens: the system does not run, or elsewhere. */
export class NotRunning extends ModelFault {}

export class AdminClient {
  readonly origin: string;
  readonly #token: string | undefined;

  constructor(settings: Settings) {
    this.origin = adminOrigin(settings);
    this.#token = settings.adminToken ?? readToken(join(settings.dataDir, 'admin-token'));
  }

  async list(): Promise<readonly LoadedModel[]> {
    return (await this.#ask<{ data: LoadedModel[] }>('GET', '')).data;
  }

  async load(id: string): Promise<void> {
    await this.#ask('POST', `/${id}/load`);
  }

  async unload(id: string): Promise<void> {
    await this.#ask('POST', `/${id}/unload`);
  }

  async #ask<T>(method: string, path: string): Promise<T> {
    const headers = this.#token === undefined ? {} : { Authorization: `Bearer ${this.#token}` };
    const signal = AbortSignal.timeout(answerMs);
    const response = await fetch(`${this.origin}/admin/api/models${path}`, { method, headers, signal }).catch(
      (error) => {
        throw new NotRunning(
          `${this.origin} does not answer (${reasonOf(error)}): no system runs with these settings.`,
          {
            fix: 'npm start   (another port: ADMIN_PORT=8091 npm run models -- ps)',
          },
        );
      },
    );
    const body = (await response.json().catch(() => ({}))) as T & { detail?: string };
    if (response.ok) return body;
    if (response.status === 401)
      throw new ModelFault(
        `${this.origin} wants the admin token. Set ADMIN_TOKEN, or MILLRACE_DATA as the system has it.`,
      );
    if (response.status === 503 && body.detail === undefined)
      throw new NotRunning(`${this.origin} is starting: its board is not there yet. Try again in a few seconds.`);
    throw new ModelFault(body.detail ?? `${this.origin} answered ${response.status}.`);
  }
}

/** Read, never made: that is the system's. */
function readToken(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8').trim() || undefined;
  } catch {
    return undefined;
  }
}

function reasonOf(error: unknown): string {
  const { cause, message } = error as Error & { cause?: Error };
  return cause?.message ?? message;
}
