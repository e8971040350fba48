/** Who gets in, what a page elsewhere can not do, and what is never shown. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { startTestRedis, type TestRedis } from '../../shared/testing/redis.ts';
import { adminToken, ask, type BoardLab, Operator, startBoardLab } from './testing/board-lab.ts';

describe('the operator pages', () => {
  let server: TestRedis;
  let lab: BoardLab;
  let operator: Operator;
  before(async () => {
    server = await startTestRedis();
    lab = await startBoardLab(server.url);
    operator = new Operator(lab.url);
    await operator.logIn();
  });
  after(async () => {
    await lab.close();
    await server.stop();
  });
  const pages = ['/admin', '/admin/queues', '/admin/tenants', '/admin/tenants/default', '/admin/dead-letters'];

  it('shows nothing without token or session, and leads to the login', async () => {
    for (const path of [...pages, '/admin/jobs/default/job_1', '/admin/queues/static/js/main.js', '/admin/nowhere']) {
      const page = await ask(lab.url + path);
      assert.equal(page.status, 303, path);
      assert.equal(page.headers['location'], `/admin/login?next=${encodeURIComponent(path)}`);
    }
    assert.equal((await ask(`${lab.url}/admin/queues/api/queues`)).status, 401);
    assert.equal((await ask(`${lab.url}/admin/actions/retry`, { method: 'POST', form: {} })).status, 401);
    assert.equal((await ask(`${lab.url}/livez`)).status, 200);
  });

  it('takes the token as a bearer, and a session that it opens', async () => {
    for (const path of pages) {
      const page = await ask(lab.url + path, { headers: { authorization: `Bearer ${adminToken}` } });
      assert.equal(page.status, 200, path);
      assert.equal(page.headers['set-cookie'], undefined);
      assert.equal((await operator.get(path)).status, 200, path);
    }
    assert.equal((await ask(`${lab.url}/admin`, { headers: { authorization: 'Bearer wrong' } })).status, 401);
    assert.equal((await ask(`${lab.url}/admin`, { headers: { authorization: 'Basic x' } })).status, 401);
  });

  it('opens a new session at each login, whatever cookie came along, and leads to a page of ours', async () => {
    const cookie = `millrace-admin-8081=${'a'.repeat(24)}.1800000000000.1900000000000.${'b'.repeat(43)}`;
    const form = { token: adminToken, next: '//evil.example' };
    const page = await ask(`${lab.url}/admin/login`, { method: 'POST', form, headers: { cookie } });
    assert.equal(page.status, 303);
    assert.equal(page.headers['location'], '/admin');
    const set = String(page.headers['set-cookie']);
    assert.match(set, /^millrace-admin-8081=[^;]+; Path=\/admin; Max-Age=3600; HttpOnly; SameSite=Strict$/);
    assert.ok(!set.includes('aaaa'));
  });

  it('marks the cookie Secure behind https, and knows the name of that proxy', async () => {
    const behind = await startBoardLab(server.url, { ADMIN_URL: 'https://ops.example' });
    const headers = { host: 'ops.example', origin: 'https://ops.example', 'sec-fetch-site': 'same-origin' };
    const page = await ask(`${behind.url}/admin/login`, { method: 'POST', form: { token: adminToken }, headers });
    assert.match(String(page.headers['set-cookie']), /; Secure$/);
    await behind.close();
  });

  it('ends a session at once when it is logged out', async () => {
    const other = new Operator(lab.url);
    await other.logIn();
    const page = await other.act('logout', {});
    assert.equal(page.headers['location'], '/admin/login');
    assert.match(String(page.headers['set-cookie']), /=; Path=\/admin; Max-Age=0/);
    assert.equal((await other.get('/admin')).status, 303);
    assert.equal((await operator.get('/admin')).status, 200, 'the other session goes on');
  });

  it('counts wrong tokens and lets an address wait, also with the right one', async () => {
    const guarded = await startBoardLab(server.url, { BOARD_PORT: '0' });
    const logIn = (token: string, from: string) => {
      const headers = { 'x-forwarded-for': from };
      return ask(`${guarded.url}/admin/login`, { method: 'POST', form: { token }, headers });
    };
    for (let i = 0; i < 10; i++) assert.equal((await logIn('wrong', '10.0.0.1')).status, 401);
    const refused = await logIn(adminToken, '10.0.0.1');
    assert.equal(refused.status, 429);
    assert.ok(Number(refused.headers['retry-after']) > 30);
    const headers = { 'x-forwarded-for': '10.0.0.1', authorization: `Bearer ${adminToken}` };
    assert.equal((await ask(`${guarded.url}/admin`, { headers })).status, 429);
    assert.equal((await logIn(adminToken, '10.0.0.2')).status, 303);
    assert.ok(guarded.logs.some((line) => line.includes('login refused') && line.includes('10.0.0.1')));
    assert.ok(!guarded.logs.join('').includes(adminToken));
    await guarded.close();
  });

  it('refuses a name that is not ours, and changes that a page elsewhere asks for', async () => {
    assert.equal((await ask(`${lab.url}/admin/login`, { headers: { host: 'evil.example' } })).status, 403);
    const ref = await lab.setAside();
    const form = { ...ref, form_token: await operator.formToken() };
    const { cookie } = operator;
    for (const headers of [
      { cookie, origin: 'http://evil.example' },
      { cookie, 'sec-fetch-site': 'cross-site' },
      { cookie, origin: 'null' },
    ]) {
      const page = await ask(`${lab.url}/admin/actions/dismiss-job`, { method: 'POST', form, headers });
      assert.equal(page.status, 403, JSON.stringify(headers));
    }
    const noToken = { ...ref, form_token: 'guessed' };
    for (const path of ['actions/dismiss-job', 'actions/retry', 'logout']) {
      const page = await ask(`${lab.url}/admin/${path}`, { method: 'POST', form: noToken, headers: { cookie } });
      assert.equal(page.status, 403, path);
    }
    assert.equal(await lab.api.redis.zcard('mr:v1:{mr0}:dead'), 1);
    const isWrongType = { method: 'POST', form: 'a=b', headers: { cookie, 'content-type': 'text/plain' } };
    assert.equal((await ask(`${lab.url}/admin/actions/retry`, isWrongType)).status, 415);
  });

  it('can not be framed, cached, or made to load anything from elsewhere', async () => {
    for (const path of [...pages, '/admin/login']) {
      const { headers, text } = await operator.get(path);
      const policy = String(headers['content-security-policy']);
      assert.match(policy, /default-src 'none'.*frame-ancestors 'none'/, path);
      assert.doesNotMatch(policy, /script-src(?! 'self';)/);
      assert.equal(headers['x-frame-options'], 'DENY');
      assert.equal(headers['cache-control'], 'no-store');
      assert.doesNotMatch(text, /googleapis|gstatic/, path);
    }
  });

  it('shows what a caller wrote as text, and inputs, outputs and secrets not at all', async () => {
    const attack = '"><script>alert(1)</script>';
    const secret = `whsec_${Buffer.alloc(32, 7).toString('base64')}`;
    const ref = await lab.setAside({
      model: 'ner',
      input: 'words of a patient',
      metadata: { [attack]: attack },
      webhook: { url: 'https://hooks.example/path-with-token', secret },
    });
    for (const path of [`/admin/jobs/default/${ref.id}`, '/admin/dead-letters', '/admin/tenants/default']) {
      const { status, text } = await operator.get(path);
      assert.equal(status, 200);
      assert.ok(!text.includes('<script'), path);
      for (const hidden of ['words of a patient', 'path-with-token', secret, 'whsec_'])
        assert.ok(!text.includes(hidden), `${path}: ${hidden}`);
    }
    const { text } = await operator.get(`/admin/jobs/default/${ref.id}`);
    assert.ok(text.includes('&lt;script&gt;alert(1)&lt;/script&gt;'));
    assert.ok(text.includes('kept, 43 bytes') && text.includes('hooks.example'), text);
    assert.match(text, /href="http:\/\/jaeger\.localhost:16686\/trace\/[0-9a-f]{32}"/);
    assert.ok(text.includes(`href="${lab.api.url}/v1/jobs/${ref.id}"`));
  });

  it('answers paths that name nothing of ours with 404, and says so on a page', async () => {
    for (const path of [
      '/admin/jobs/default/job_1',
      `/admin/jobs/..%2f..%2fetc/job_0${'0'.repeat(12)}7${'0'.repeat(19)}`,
      '/admin/tenants/%3Cscript%3E',
      '/admin/nowhere',
    ]) {
      const page = await operator.get(path);
      assert.equal(page.status, 404, path);
      assert.ok(!page.text.includes('<script'), path);
    }
    assert.equal((await operator.get('/admin/find?id=%3Cscript%3E')).status, 400);
  });

  it('finds whose job an id is', async () => {
    const { job } = await lab.client.submit({ model: 'ner', input: 'x' });
    const page = await operator.get(`/admin/find?id=${job.id}`);
    assert.equal(page.headers['location'], `/admin/jobs/default/${job.id}`);
  });
});
