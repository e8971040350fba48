/** Items that are objects: checked by their task's own schema, stored as it read them. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { startJob } from '../../shared/testing/claim-job.ts';
import { startTestRedis, type TestRedis } from '../../shared/testing/redis.ts';
import { Client } from '../testing/client.ts';
import { startTestApi, type TestApi, testModel } from '../testing/test-api.ts';

describe('an item that is an object', () => {
  let server: TestRedis;
  let api: TestApi;
  let client: Client;
  before(async () => {
    server = await startTestRedis();
    api = await startTestApi(server.url, { models: [testModel('ranker', 'text-ranking')] });
    client = new Client(api.url);
  });
  after(async () => {
    await api.close();
    await server.stop();
  });
  const submit = (input: unknown, headers = {}) => client.submit({ model: 'ranker', input }, headers);
  const faultOf = async (input: unknown) => {
    const { status, job: problem } = await submit(input);
    assert.equal(status, 422);
    return (problem as unknown as { errors: { pointer: string; detail: string }[] }).errors[0];
  };

  it('is stored as its contract reads it, whichever way it was said', async () => {
    const ids = new Set<string>();
    for (const input of [
      { query: 'q', documents: ['a', { text: 'b' }] },
      { query: 'q', documents: [{ text: 'a' }, 'b'] },
    ]) {
      const { status, job } = await submit(input, { 'Idempotency-Key': 'same' });
      assert.equal(status, 202);
      ids.add(job.id);
    }
    assert.equal(ids.size, 1, 'the second spelling is the first job again');
    const { input } = await startJob(api.redis, { tenant: 'default', id: [...ids][0] as string });
    assert.deepEqual(input, [{ kind: 'json', value: { query: 'q', documents: ['a', 'b'] } }]);
  });

  it('is refused at the place that is wrong, or by what it may be when it is something else', async () => {
    assert.equal((await faultOf({ query: 'q', documents: ['a', ''] }))?.pointer, '/input/documents/1');
    assert.equal((await faultOf({ query: 'q' }))?.pointer, '/input/documents');
    assert.equal((await faultOf({ text: 'q' }))?.pointer, '/input/text_pair');
    const other = await faultOf('a text');
    assert.deepEqual([other?.pointer, other?.detail.slice(0, 18)], ['/input', 'Must be {"query": ']);
  });

  it('is bounded in bytes as a whole', async () => {
    const fault = await faultOf({ query: 'q', documents: Array.from({ length: 3 }, () => 'x'.repeat(700_000)) });
    assert.match(fault?.detail ?? '', /^The item has 21\d{5} bytes; 2097152 are the most/);
  });

  it('is described in the list of models, so that a client can make a form of it', async () => {
    const { job: model } = await client.ask('/v1/models/ranker');
    const { input, input_schema } = model as unknown as { input: string; input_schema: { anyOf: unknown[] } };
    assert.equal(input, 'text');
    assert.match(JSON.stringify(input_schema.anyOf), /"documents":\{.*"minItems":1,"maxItems":1000/);
  });

  it('has an example in the document that the API takes', async () => {
    const document = (await (await fetch(`${api.url}/openapi.json`)).json()) as {
      paths: Record<
        string,
        { post: { requestBody: { content: Record<string, { examples: Record<string, unknown> }> } } }
      >;
    };
    const { examples } = document.paths['/v1/jobs']?.post.requestBody.content['application/json'] ?? { examples: {} };
    const { value } = examples['text-ranking'] as { value: unknown };
    assert.equal((await client.submit(value)).status, 202);
  });
});
