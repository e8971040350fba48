/** Without keys this machine is served, not the web pages that its browsers show. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { startTestRedis, type TestRedis } from '../../shared/testing/redis.ts';
import { formBody, rawRequest, sendRaw } from '../testing/raw-request.ts';
import { startTestApi, type TestApi } from '../testing/test-api.ts';

describe('an API without keys', () => {
  let server: TestRedis;
  let api: TestApi;
  before(async () => {
    server = await startTestRedis();
    api = await startTestApi(server.url, { env: { PUBLIC_URL: 'https://models.example/api' } });
  });
  after(async () => {
    await api.close();
    await server.stop();
  });

  const list = (host: string, path = '/v1/jobs') =>
    sendRaw(api.port, rawRequest({ path, headers: { Host: host, 'Sec-Fetch-Site': 'same-origin' } }));
  const submit = (site: string) => {
    const { type, bytes } = formBody({ model: 'ner', input: 'x' }, []);
    const headers = { 'Content-Type': type, 'Sec-Fetch-Site': site };
    return sendRaw(api.port, rawRequest({ method: 'POST', headers, body: bytes }));
  };

  it('serves callers by address, as localhost and under PUBLIC_URL', async () => {
    for (const host of [
      '127.0.0.1:8080',
      '[::1]:8080',
      'localhost',
      'LOCALHOST.:8080',
      'mill.localhost',
      'models.example',
    ])
      assert.equal((await list(host)).status, 200, host);
  });

  it('refuses a name that somebody points at this machine (DNS rebinding), but not health or docs', async () => {
    for (const host of ['evil.example:8080', 'localhost.evil.example', '127.0.0.1.evil.example', '']) {
      const answer = await list(host);
      assert.deepEqual([answer.status, answer.body['type']], [403, '/problems/foreign-origin'], host);
    }
    assert.equal((await list('evil.example', '/livez')).status, 200);
  });

  it('refuses the form that a foreign page sends through its visitor', async () => {
    assert.equal((await submit('cross-site')).status, 403);
    assert.equal((await submit('same-origin')).status, 202);
  });
});
