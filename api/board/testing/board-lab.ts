/** The operator's pages on a real Redis, beside a real API, with jobs that were set aside; and an operator who asks. */
import { request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { pino } from 'pino';
import { readSettings } from '../../../shared/config/settings.ts';
import type { StoredInput } from '../../../shared/jobs/job.ts';
import type { JobRef } from '../../../shared/jobs/store/words.ts';
import { connectProducer, untilReady } from '../../../shared/redis/connection.ts';
import { startJob } from '../../../shared/testing/claim-job.ts';
import { Client } from '../../testing/client.ts';
import { startTestApi, type TestApi, type TestApiOptions } from '../../testing/test-api.ts';
import { type BuiltBoard, buildBoard } from '../build-board.ts';

export const adminToken = 'the-token-of-these-tests';

export interface BoardLab {
  readonly api: TestApi;
  readonly board: BuiltBoard;
  readonly client: Client;
  readonly url: string;
  readonly logs: string[];
  /** A job that was started and set aside as poison. */
  setAside(body?: object): Promise<JobRef>;
  close(): Promise<void>;
}

/** `env`: of the board. `tracing` of the options is that of both. */
export async function startBoardLab(
  redisUrl: string,
  env: Readonly<Record<string, string>> = {},
  apiOptions: TestApiOptions = {},
): Promise<BoardLab> {
  const api = await startTestApi(redisUrl, apiOptions);
  const logs: string[] = [];
  const logger = pino({ level: 'info' }, { write: (line) => void logs.push(line) });
  const redis = connectProducer(redisUrl, logger, 5000);
  await untilReady(redis, 10_000);
  const settings = readSettings({
    ADMIN_TOKEN: adminToken,
    MILLRACE_DATA: api.dataDir,
    PUBLIC_URL: api.url,
    JAEGER_UI_URL: 'http://jaeger.localhost:16686',
    ...env,
  });
  const { tracing } = apiOptions;
  const board = await buildBoard({ settings, redis, logger, ...(tracing && { tracing }) });
  await new Promise<void>((resolve) => board.server.listen(0, '127.0.0.1', resolve));
  const client = new Client(api.url);
  const { store } = api.dependencies;
  return {
    api,
    board,
    client,
    url: `http://127.0.0.1:${(board.server.address() as AddressInfo).port}`,
    logs,
    async setAside(body = { model: 'ner', input: 'secret words' }) {
      const { job } = await client.submit(body);
      const ref = { tenant: 'default', id: job.id };
      await startJob(api.redis, ref);
      const problem = { type: '/problems/poison-job', title: 'Poison job', status: 422, detail: 'It was set aside.' };
      const fragment = JSON.stringify(problem);
      await store.finish([{ ...ref, kind: 'job', status: 'failed', fragment, deadLetter: true }]);
      return ref;
    },
    async close() {
      board.server.closeAllConnections();
      await board.stop();
      redis.disconnect();
      await api.close();
    },
  };
}

export interface Page {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly text: string;
}

export interface Ask {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Sent as a form, unless it is a text. */
  readonly form?: Readonly<Record<string, string>> | string;
}

/** One request, byte for byte as given: fetch would not let Host, Origin or Cookie be chosen. */
export async function ask(url: string, { method = 'GET', headers = {}, form }: Ask = {}): Promise<Page> {
  const body = typeof form === 'string' ? form : form && new URLSearchParams(form).toString();
  return await new Promise((resolve, reject) => {
    const type = body === undefined ? {} : { 'content-type': 'application/x-www-form-urlencoded' };
    const asked = request(url, { method, headers: { accept: 'text/html', ...type, ...headers }, agent: false });
    asked.on('error', reject);
    asked.on('response', (response) => {
      let text = '';
      response.setEncoding('utf8');
      response.on('data', (chunk) => (text += chunk));
      response.on('end', () => resolve({ status: response.statusCode ?? 0, headers: response.headers, text }));
    });
    asked.end(body);
  });
}

/** A browser's worth of memory: the cookie, and the form token that the pages carry. */
export class Operator {
  readonly #url: string;
  cookie = '';

  constructor(url: string) {
    this.#url = url;
  }

  async logIn(token = adminToken): Promise<Page> {
    const page = await ask(`${this.#url}/admin/login`, { method: 'POST', form: { token } });
    this.cookie = String(page.headers['set-cookie'] ?? '').split(';')[0] ?? '';
    return page;
  }

  async get(path: string): Promise<Page> {
    return await ask(this.#url + path, { headers: { cookie: this.cookie } });
  }

  async formToken(): Promise<string> {
    return /name="form_token" value="([^"]+)"/.exec((await this.get('/admin')).text)?.[1] ?? '';
  }

  /** As the form of a page does it. */
  async act(action: string, fields: Readonly<Record<string, string>>): Promise<Page> {
    const form = { ...fields, form_token: await this.formToken() };
    return await ask(`${this.#url}/admin/${action}`, { method: 'POST', form, headers: { cookie: this.cookie } });
  }
}

export const keptTexts = (input: readonly StoredInput[] | undefined): string[] =>
  (input ?? []).map((item) => (item.kind === 'text' ? item.text : item.kind));
