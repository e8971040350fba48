/** The bad-input catalogue, rows 1 to 38 and 67 to 72, over real sockets. Each fault has one slug, one status, one shape. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { brotliCompressSync, gzipSync } from 'node:zlib';
import { type ProblemSlug, problemCatalogue } from '../../shared/problems/catalogue.ts';
import { startTestRedis, type TestRedis } from '../../shared/testing/redis.ts';
import { commonProblems, submitProblems } from '../openapi/paths.ts';
import { rawRequest, sendRaw, type Wish } from '../testing/raw-request.ts';
import { startTestApi, type TestApi } from '../testing/test-api.ts';

const key = 'key-of-the-tests-0001';
const json = { 'Content-Type': 'application/json', Authorization: `Bearer ${key}` };
const good = { model: 'ner', input: 'milk' };
const post = (body: unknown, headers: Record<string, string> = {}): Wish => ({
  method: 'POST',
  headers: { ...json, ...headers },
  body: typeof body === 'string' || Buffer.isBuffer(body) ? body : JSON.stringify(body),
});
const get = (path: string, headers: Record<string, string> = {}): Wish => ({ path, headers: { ...json, ...headers } });
const nested = (depth: number) => `{"model":"ner","input":${'['.repeat(depth)}${']'.repeat(depth)}}`;

const rows: readonly (readonly [what: string, wish: Wish, slug: ProblemSlug])[] = [
  ['1 no key', { path: '/v1/jobs' }, 'unauthenticated'],
  ['2 a wrong key', get('/v1/jobs', { Authorization: 'Bearer key-of-the-tests-0002' }), 'unauthenticated'],
  ['3 another scheme', get('/v1/jobs', { Authorization: `Basic ${key}` }), 'unauthenticated'],
  ['4 a key in the query, by name', get(`/v1/jobs?api_key=${key}`), 'key-in-url'],
  ['4 a key in the query, by value', get(`/v1/jobs?token=${key}`), 'key-in-url'],
  ['4 a key in the query of an open route', get(`/livez?access_token=x`), 'key-in-url'],
  ['6 an unknown id', get('/v1/jobs/job_001a1fd25e28f76f9a72819fb288199f5'), 'not-found'],
  ['7 a wrong method', { ...get('/v1/jobs'), method: 'PUT' }, 'method-not-allowed'],
  ['7 a wrong method on a job', { ...get('/v1/jobs/job_x'), method: 'PATCH' }, 'method-not-allowed'],
  ['8 a URL above 16 KiB', get(`/v1/jobs?x=${'x'.repeat(17_000)}`), 'headers-too-large'],
  ['8 headers above 16 KiB', get('/v1/jobs', { 'X-Long': 'x'.repeat(17_000) }), 'headers-too-large'],
  ['12 broken percent-encoding in an id', get('/v1/jobs/%E0%A4%A'), 'invalid-id'],
  ['13 a path in an id', get('/v1/jobs/..%2f..%2fetc'), 'invalid-id'],
  ['13 a NUL in an id', get('/v1/jobs/job_%00'), 'invalid-id'],
  ['14 a negative limit', get('/v1/jobs?limit=-1'), 'invalid-parameter'],
  ['14 a limit beyond the maximum', get('/v1/jobs?limit=101'), 'invalid-parameter'],
  ['14 a repeated parameter', get('/v1/jobs?limit=1&limit=2'), 'invalid-parameter'],
  ['14 an unknown parameter', get('/v1/jobs?page=2'), 'invalid-parameter'],
  ['14 a forged cursor', get('/v1/jobs?cursor=MTIz'), 'invalid-parameter'],
  ['14 an unknown status', get('/v1/jobs?status=active'), 'invalid-parameter'],
  ['14 a time that is none', get('/v1/jobs?created_after=yesterday'), 'invalid-parameter'],
  ['18 truncated JSON', post('{"model":"ner","input":'), 'malformed-json'],
  ['18 bytes that are not UTF-8', post(Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x7d])), 'malformed-json'],
  ['19 an empty body', post(''), 'empty-body'],
  ['19 no body at all', { method: 'POST', headers: { Authorization: `Bearer ${key}` } }, 'empty-body'],
  ['20 text/plain', post('hello', { 'Content-Type': 'text/plain' }), 'unsupported-media-type'],
  ['20 no type', { ...post(good), headers: { Authorization: `Bearer ${key}` } }, 'unsupported-media-type'],
  ['21 UTF-16', post(good, { 'Content-Type': 'application/json; charset=utf-16' }), 'unsupported-media-type'],
  [
    '21 a charset that nobody knows',
    post(good, { 'Content-Type': 'application/json; charset=x' }),
    'unsupported-media-type',
  ],
  ['22 an unknown encoding', post(good, { 'Content-Encoding': 'zstd' }), 'unsupported-media-type'],
  [
    '22 an encoding named as every object has one',
    post(good, { 'Content-Encoding': 'constructor' }),
    'unsupported-media-type',
  ],
  ['22 corrupt gzip', post('not gzip at all', { 'Content-Encoding': 'gzip' }), 'bad-encoding'],
  [
    '22 truncated gzip',
    post(gzipSync('{"model":"ner"}').subarray(0, 12), { 'Content-Encoding': 'gzip' }),
    'bad-encoding',
  ],
  ['23 a gzip bomb', post(gzipSync(Buffer.alloc(20 * 2 ** 20)), { 'Content-Encoding': 'gzip' }), 'payload-too-large'],
  [
    '23 a brotli bomb',
    post(brotliCompressSync(Buffer.alloc(20 * 2 ** 20)), { 'Content-Encoding': 'br' }),
    'payload-too-large',
  ],
  ['24 a body above the limit', post(Buffer.alloc(17 * 2 ** 20, 0x20)), 'payload-too-large'],
  ['25 nesting of 33 levels', post(nested(32)), 'too-deep'],
  ['25 nesting of 100,000 levels', post(nested(100_000)), 'too-deep'],
  ['24 a million values', post(`{"model":"m","input":[${'0,'.repeat(1_000_000)}0]}`), 'payload-too-large'],
  ['26 __proto__', post('{"model":"ner","input":"x","metadata":{"__proto__":"x"}}'), 'forbidden-key'],
  [
    '26 constructor, escaped',
    post('{"model":"ner","input":"x","parameters":{"construct\\u006fr":{}}}'),
    'forbidden-key',
  ],
  ['27 an unknown field', post({ ...good, modle: 'x' }), 'validation-failed'],
  ['27 a wrong type', post({ ...good, priority: 7 }), 'validation-failed'],
  ['27 a list as body', post([good]), 'validation-failed'],
  ['27 an unknown parameter of the task', post({ ...good, parameters: { tempo: 1 } }), 'validation-failed'],
  ['27 neither model nor task', post({ input: 'x' }), 'validation-failed'],
  ['27 no input', post({ model: 'ner' }), 'validation-failed'],
  ['27 input and inputs', post({ ...good, inputs: ['x'] }), 'validation-failed'],
  ['27 an empty list', post({ model: 'ner', inputs: [] }), 'validation-failed'],
  ['27 an empty text', post({ model: 'ner', input: '' }), 'validation-failed'],
  ['27 a task that the model does not serve', post({ ...good, task: 'image-classification' }), 'validation-failed'],
  ['28 an unknown model', post({ ...good, model: 'nerr' }), 'unknown-model'],
  ['28 a path as model', post({ ...good, model: '../../etc/passwd' }), 'unknown-model'],
  ['28 a broken model', post({ ...good, model: 'cracked' }), 'unknown-model'],
  ['28 an unknown task', post({ task: 'token-clasification', input: 'x' }), 'unknown-task'],
  ['28 a task without a default model', post({ task: 'feature-extraction', input: 'x' }), 'unknown-task'],
  ['31 1e999', post('{"model":"ner","input":"x","timeout":1e999}'), 'non-finite'],
  ['31 NaN as text', post({ ...good, timeout: 'NaN' }), 'validation-failed'],
  ['32 an integer above 2^53', post('{"model":"ner","input":"x","timeout":9007199254740993}'), 'unsafe-integer'],
  ['34 a text of more bytes than the task takes', post({ model: 'ner', input: 'ж'.repeat(140_000) }), 'input-too-long'],
  ['35 a lone surrogate', post('{"model":"ner","input":"\\ud800"}'), 'invalid-unicode'],
  ['35 a NUL', post('{"model":"ner","inputs":["ok","a\\u0000b"]}'), 'invalid-unicode'],
  ['36 an unknown priority', post({ ...good, priority: 'bulk' }), 'validation-failed'],
  ['36 a negative expiry', post({ ...good, expires_in: -1 }), 'validation-failed'],
  ['36 an expiry of a year', post({ ...good, expires_in: 31_536_000 }), 'validation-failed'],
  ['too many items', post({ model: 'ner', inputs: Array(257).fill('x') }), 'too-many-items'],
  ['38 an empty idempotency key', post(good, { 'Idempotency-Key': '' }), 'invalid-idempotency-key'],
  ['38 an idempotency key of 256', post(good, { 'Idempotency-Key': 'k'.repeat(256) }), 'invalid-idempotency-key'],
  ['38 an idempotency key that is not ASCII', post(good, { 'Idempotency-Key': 'ключ' }), 'invalid-idempotency-key'],
  ['71 /metrics', get('/metrics'), 'not-found'],
  ['71 /admin', get('/admin/queues'), 'not-found'],
  [
    '72 a weak webhook secret',
    post({ ...good, webhook: { url: 'https://example.com', secret: 'whsec_c2hvcnQ=' } }),
    'weak-webhook-secret',
  ],
];

describe('bad requests', () => {
  let server: TestRedis;
  let api: TestApi;
  before(async () => {
    server = await startTestRedis();
    api = await startTestApi(server.url, {
      env: { MILLRACE_API_KEYS: key },
      timeouts: { headersMs: 700, requestMs: 1500 },
    });
  });
  after(async () => {
    await api.close();
    await server.stop();
  });

  for (const [what, wish, slug] of rows) {
    it(`${what}: ${problemCatalogue[slug].status} ${slug}`, async () => {
      const answer = await sendRaw(api.port, rawRequest(wish));
      assert.equal(answer.body['type'], `/problems/${slug}`, answer.text.slice(0, 300));
      assert.equal(answer.status, problemCatalogue[slug].status);
      assert.equal(answer.headers['content-type'], 'application/problem+json');
      assert.equal(answer.body['status'], answer.status);
      if (slug !== 'headers-too-large') assert.equal(answer.headers['x-request-id'], answer.body['request_id']);
      assert.doesNotMatch(answer.text, /key-of-the-tests|node_modules|\.ts:|passwd/);
    });
  }

  it('tells of every one of them in the OpenAPI document', () => {
    const told = new Set([...commonProblems, ...submitProblems]);
    const met = rows.filter(([, { method }]) => method === 'POST').map(([, , slug]) => slug);
    assert.deepEqual(
      met.filter((slug) => !told.has(slug)),
      [],
    );
  });

  for (const [what, bytes] of [
    [
      'both Content-Length and chunked',
      'POST /v1/jobs HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
    ],
    ['two lengths', 'POST /v1/jobs HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabc'],
    ['no Host', 'GET /v1/jobs HTTP/1.1\r\nConnection: close\r\n\r\n'],
    ['no HTTP at all', 'EHLO mail.example\r\n\r\n'],
  ] as const) {
    it(`9 ${what}: 400 bad-request`, async () => {
      const answer = await sendRaw(api.port, bytes);
      assert.equal(answer.body['type'], '/problems/bad-request', answer.text);
      assert.equal(answer.status, 400);
    });
  }

  it('10 headers that come too slowly: 408 request-timeout', async () => {
    const answer = await sendRaw(api.port, 'GET /v1/jobs HTTP/1.1\r\nHost: x\r\nX-Slow:');
    assert.deepEqual([answer.status, answer.body['type']], [408, '/problems/request-timeout']);
  });

  it('11 a body that comes too slowly: 408 request-timeout', async () => {
    const head = rawRequest({ method: 'POST', headers: { ...json, 'Content-Length': '100' } });
    const answer = await sendRaw(api.port, [head, '{"model"']);
    assert.deepEqual([answer.status, answer.body['type']], [408, '/problems/request-timeout']);
  });

  it('names the allowed methods with a 405, and answers OPTIONS', async () => {
    const answer = await sendRaw(api.port, rawRequest({ ...get('/v1/jobs'), method: 'PUT' }));
    assert.equal(answer.headers['allow'], 'POST, GET, HEAD, OPTIONS');
    assert.equal((await sendRaw(api.port, rawRequest({ ...get('/v1/jobs'), method: 'OPTIONS' }))).status, 204);
  });

  it('says how to send a key with a 401, and takes it either way', async () => {
    const answer = await sendRaw(api.port, rawRequest({ path: '/v1/models' }));
    assert.equal(answer.headers['www-authenticate'], 'Bearer');
    assert.equal(
      (await sendRaw(api.port, rawRequest({ path: '/v1/models', headers: { 'X-API-Key': key } }))).status,
      200,
    );
  });

  it('never asks for a body that it refuses', async () => {
    const headers = { ...json, Expect: '100-continue', 'Content-Length': String(2 ** 30) };
    const answer = await sendRaw(api.port, rawRequest({ method: 'POST', headers }));
    assert.equal(answer.status, 413);
  });

  it('points at each wrong field, and says what was meant', async () => {
    const answer = await sendRaw(
      api.port,
      rawRequest(post({ model: 'ner', input: 'x', metadata: { a: 1 }, timeout: 0, extra: 1 })),
    );
    const pointers = (answer.body['errors'] as { pointer: string }[]).map(({ pointer }) => pointer);
    assert.deepEqual(pointers.sort(), ['/extra', '/metadata/a', '/timeout']);
    const unknown = await sendRaw(api.port, rawRequest(post({ ...good, model: 'ner-larg' })));
    assert.match(String(unknown.body['detail']), /did you mean "ner-large"\? Models: /);
  });

  it('tells a beginner the next step', async () => {
    const mistakes: [unknown, Record<string, string>, RegExp][] = [
      [{ ...good, priorty: 'low' }, {}, /^\/priorty: Unknown field; did you mean "priority"\?$/],
      [{ model: 'ner-large', sentence: 'x' }, {}, /^\/sentence: Unknown field\. Fields: model, task, input, /],
      [
        good,
        { 'Content-Type': 'application/x-www-form-urlencoded' },
        /has Content-Type "application\/x-www-form.*curl: -H/,
      ],
      [{ task: 'summarization', input: 'x' }, {}, /^No such task\. Tasks: /],
      [
        { ...good, webhook: { url: 'http://localhost:9000/a' } },
        {},
        /Port 9000 .* add localhost:9000 to MILLRACE_ALLOW_HOSTS/,
      ],
      [{ ...good, webhook: { url: 'http://10.0.0.1/a' } }, {}, /private .* add 10\.0\.0\.1 to MILLRACE_ALLOW_HOSTS/],
    ];
    for (const [body, headers, detail] of mistakes) {
      const answer = await sendRaw(api.port, rawRequest(post(body, headers)));
      assert.match(String(answer.body['detail']), detail);
    }
  });

  it('names the form part that a file must be', async () => {
    const form = new FormData();
    form.set('model', 'ner-large');
    form.set('audio', new Blob(['RIFF']), 'a.wav');
    const response = await fetch(`http://127.0.0.1:${api.port}/v1/jobs`, {
      method: 'POST',
      headers: { Authorization: `Bearer ${key}` },
      body: form,
    });
    const body = (await response.json()) as { detail: string; errors?: { pointer: string }[] };
    assert.deepEqual([response.status, body.errors?.[0]?.pointer], [422, '/audio'], JSON.stringify(body));
    assert.match(body.detail, /part named "audio"\. Name the part "file"/);
  });

  it('sends a browser at the root to the documentation', async () => {
    const response = await fetch(`http://127.0.0.1:${api.port}/`, { redirect: 'manual' });
    assert.deepEqual([response.status, response.headers.get('location')], [302, '/docs']);
  });

  it('takes compressed JSON, a byte order mark, and a charset that is UTF-8', async () => {
    const bodies: [Buffer, Record<string, string>][] = [
      [gzipSync(JSON.stringify(good)), { 'Content-Encoding': 'gzip' }],
      [Buffer.from(`\ufeff${JSON.stringify(good)}`), { 'Content-Type': 'application/json; charset="UTF-8"' }],
    ];
    for (const [body, headers] of bodies)
      assert.equal((await sendRaw(api.port, rawRequest(post(body, headers)))).status, 202);
  });

  it('left no file behind', async () => {
    const { readdir } = await import('node:fs/promises');
    assert.deepEqual(await readdir(`${api.dataDir}/incoming`), []);
  });
});
