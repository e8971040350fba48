/** Every command that the documentation shows runs as it stands. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { after, before, it } from 'node:test';
import { promisify } from 'node:util';
import { startTestRedis, type TestRedis } from '../../shared/testing/redis.ts';
import { Client } from '../testing/client.ts';
import { type FakeWorker, startFakeWorker } from '../testing/fake-worker.ts';
import { startTestApi, type TestApi } from '../testing/test-api.ts';

let server: TestRedis;
let api: TestApi;
let worker: FakeWorker;
before(async () => {
  server = await startTestRedis();
  api = await startTestApi(server.url);
  worker = startFakeWorker(server.url, 'ner');
});
after(async () => {
  await worker.stop();
  await api.close();
  await server.stop();
});

interface Document {
  readonly openapi: string;
  readonly paths: Record<
    string,
    Record<string, { tags: string[]; 'x-codeSamples'?: { source: string }[]; requestBody?: RequestBody }>
  >;
}
interface RequestBody {
  readonly content: Record<string, { examples?: Record<string, { value: { input: unknown } }> }>;
}
/** Here no worker is ready and nothing is recorded: the commands on predictions run in predictions.test.ts. */
function expected(path: string, tags: readonly string[]): RegExp {
  if (tags.includes('Predictions')) return /^404$/;
  return path === '/readyz' ? /^503$/ : /^20[024]$/;
}

const readDocument = async () => (await (await fetch(`${api.url}/openapi.json`)).json()) as Document;

it('runs every curl command of the document with success', async () => {
  const { paths, openapi } = await readDocument();
  assert.match(openapi, /^3\.1/);
  const client = new Client(api.url);
  let commands = 0;
  for (const [path, methods] of Object.entries(paths)) {
    for (const { tags, 'x-codeSamples': samples = [] } of Object.values(methods)) {
      for (const { source } of samples) {
        commands++;
        const { job } = await client.submit({ model: 'ner-large', input: 'x', expires_in: 60 });
        if (path.endsWith('/events') || /wait=30/.test(source))
          await client.ask(`/v1/jobs/${job.id}/cancel`, { method: 'POST' });
        const script = `JOB=${job.id}; ${source.replace(/^curl/, 'curl -sS -o /dev/null -w "%{http_code}"')}`;
        const { stdout } = await promisify(execFile)('sh', ['-c', script], { timeout: 60_000 });
        assert.match(stdout, expected(path, tags), `${source} answered ${stdout}`);
      }
    }
  }
  assert.ok(commands >= 10);
});

it('accepts the example of every task, or fails only for the host of the example', async () => {
  const { paths } = await readDocument();
  const examples = paths['/v1/jobs']?.['post']?.requestBody?.content['application/json']?.examples ?? {};
  assert.equal(Object.keys(examples).length, 3);
  for (const [task, { value }] of Object.entries(examples)) {
    const { status } = await new Client(api.url).submit(value);
    assert.equal(status, 202, task);
  }
});
