/** Requests to a server that an operator named, against real sockets: what is an answer, what is none, and when to give up. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer, type RequestListener } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import type { AddressInfo, Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { missing } from '../testing/find-tool.ts';
import { OperatorHttp, type OperatorRequest, ReplyTooLong, TransportFault } from './operator-http.ts';

const answers: Record<string, RequestListener> = {
  '/ok': (request, response) => request.pipe(response.setHeader('retry-after', '7')),
  '/moved': (_request, response) => response.writeHead(302, { location: '/ok' }).end(),
  '/long': (_request, response) => response.end('x'.repeat(2000)),
  '/never': () => {},
  '/half': (_request, response) => {
    response.writeHead(200, { 'content-length': '100' }).write('half');
    setTimeout(() => response.destroy(), 20);
  },
  '/torn': (_request, response) => {
    response.write('chunk');
    setTimeout(() => response.destroy(), 20);
  },
  '/slow': (_request, response) => {
    response.write('\n');
    setTimeout(() => response.end('at last'), 300);
  },
  '/drip': (_request, response) => {
    const drops = setInterval(() => response.write('\n'), 50);
    response.once('close', () => clearInterval(drops));
  },
  '/close': (request) => request.socket.destroy(),
};
const server = createServer((request, response) => answers[request.url ?? '']?.(request, response));
let origin: string;
let http: OperatorHttp;
let connections = 0;
server.on('connection', () => connections++);

async function listen(on: Server): Promise<number> {
  await new Promise<void>((resolve) => on.listen(0, '127.0.0.1', resolve));
  return (on.address() as AddressInfo).port;
}
before(async () => {
  origin = `http://127.0.0.1:${await listen(server)}`;
  http = new OperatorHttp(origin, 4);
});
after(() => {
  http.close();
  server.closeAllConnections();
  server.close();
});

const send = (path: string, extra: Partial<OperatorRequest> = {}) =>
  http.send({
    method: 'POST',
    url: origin + path,
    headers: {},
    body: 'é',
    timeoutMs: 30_000,
    replyBytesMax: 1000,
    ...extra,
  });
const faultOf = async (answer: Promise<unknown>): Promise<TransportFault> => {
  const error = await answer.then(
    () => assert.fail('there was an answer'),
    (reason: unknown) => reason,
  );
  assert.ok(error instanceof TransportFault, String(error));
  return error;
};

test('any status is an answer, a redirect too, and connections are kept', async () => {
  assert.deepEqual(await send('/ok'), { status: 200, retryAfterSeconds: 7, body: 'é' });
  assert.equal((await send('/moved')).status, 302);
  for (let i = 0; i < 5; i++) await send('/ok');
  assert.equal(connections, 1);
});

test('an answer may take all of its time from its head to its end', async () => {
  assert.equal((await send('/slow')).body, '\nat last');
});

test('a kept connection that the server closed meanwhile costs nothing', async () => {
  await send('/ok');
  server.closeAllConnections();
  assert.equal((await send('/ok')).status, 200);
});

test('no whole answer is a fault that says whether the server may have begun', async () => {
  const cases: [string, RegExp, timeoutMs?: number][] = [
    ['/never', /^no whole answer within 0\.5 s$/, 500],
    ['/drip', /^no whole answer within 0\.5 s$/, 500],
    ['/half', /^ECONNRESET$/],
    ['/torn', /^ECONNRESET$/],
    ['/close', /ECONNRESET|without an answer/],
  ];
  const startedMs = performance.now();
  for (const [path, reason, timeoutMs] of cases) {
    const fault = await faultOf(send(path, timeoutMs === undefined ? {} : { timeoutMs }));
    assert.match(fault.message, reason);
    assert.equal(fault.reached, true, path);
  }
  assert.ok(performance.now() - startedMs < 20_000, 'it was waited for longer than was agreed');
  const away = await faultOf(send('', { url: 'http://127.0.0.1:9/' }));
  assert.deepEqual([away.message, away.reached], ['ECONNREFUSED', false]);
});

test('no more is read than was agreed', async () => {
  assert.ok((await faultOf(send('/long'))) instanceof ReplyTooLong);
});

test("the caller's signal ends it with the caller's reason", async () => {
  const reason = new Error('the job is over');
  const end = new AbortController();
  setTimeout(() => end.abort(reason), 50);
  await assert.rejects(send('/never', { signal: end.signal }), (error) => error === reason);
});

test('a certificate that nobody vouches for is refused', {
  skip: missing('openssl', 'apt-get install -y openssl'),
}, async () => {
  const dir = mkdtempSync(join(tmpdir(), 'millrace-tls-'));
  const [key, cert] = [join(dir, 'key.pem'), join(dir, 'cert.pem')];
  const wish = ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '1', '-subj', '/CN=localhost'];
  execFileSync('openssl', [...wish, '-keyout', key, '-out', cert], { stdio: 'ignore' });
  const secure = createSecureServer({ key: readFileSync(key), cert: readFileSync(cert) }, (_request, response) =>
    response.end('seen'),
  );
  const url = `https://localhost:${await listen(secure)}/`;
  const own = new OperatorHttp(url, 1);
  const fault = await faultOf(own.send({ method: 'GET', url, headers: {}, timeoutMs: 30_000, replyBytesMax: 10 }));
  assert.equal(fault.message, 'DEPTH_ZERO_SELF_SIGNED_CERT');
  own.close();
  secure.close();
  rmSync(dir, { recursive: true });
});
