import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer, request, type ServerResponse } from 'node:http';
import { type AddressInfo, createServer as createTcpServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { brotliCompressSync, deflateSync, gzipSync } from 'node:zlib';
import { Problem } from '../problems/problem.ts';
import { startTestNameServer, type TestNameServer } from '../testing/name-server.ts';
import { guardedAgent, isBlocked } from './guarded-agent.ts';
import { type DownloadOptions, downloadToFile, parseRetryAfter, postJson } from './guarded-fetch.ts';
import { AllowedHosts } from './url-policy.ts';

// The canary stands for an inner service: on a loopback address of its own, on a port that the policy lets through.
const canaryAddress = `127.77.${process.pid % 250}.${1 + (Math.floor(process.pid / 250) % 250)}`;
const nobody = new AllowedHosts([]);
let canaryConnections = 0;
let canary: Server;
let dir: string;
let origin: string;
let allowed: AllowedHosts;
let names: TestNameServer;
let addressesOf: Record<string, () => string[]> = {};
const sockets = new Set<Socket>();
const routes: Record<string, (response: ServerResponse, body: string) => void> = {};

const site = createServer((incoming, response) => {
  let body = '';
  incoming.on('data', (chunk) => (body += chunk));
  incoming.on('end', () => {
    const route = routes[incoming.url ?? ''];
    if (route) route(response, body);
    else response.writeHead(404).end('secret text');
  });
});
site.on('connection', (socket) => {
  sockets.add(socket);
  socket.on('error', () => {});
});

before(async () => {
  dir = await mkdtemp(join(tmpdir(), 'millrace-fetch-'));
  canary = createTcpServer((socket) => {
    canaryConnections++;
    socket.destroy();
  });
  await new Promise<void>((resolve) => canary.listen(8080, canaryAddress, resolve));
  await new Promise<void>((resolve) => site.listen(0, '127.0.0.1', resolve));
  const { port } = site.address() as AddressInfo;
  origin = `http://127.0.0.1:${port}`;
  allowed = new AllowedHosts([`127.0.0.1:${port}`]);
  names = await startTestNameServer((name) => addressesOf[name]?.() ?? []);
});
after(async () => {
  for (const socket of sockets) socket.destroy();
  site.close();
  canary.close();
  await names.stop();
  await rm(dir, { recursive: true, force: true });
});

let files = 0;
const fetchFile = async (url: string, extra: Partial<DownloadOptions> = {}) => {
  const path = join(dir, `file-${files++}`);
  const options = { path, allowed, bytesMax: 100_000, timeoutMs: 30_000, resolver: names.resolver, ...extra };
  return { path, ...(await downloadToFile(url, options)) };
};
async function assertProblem(slug: string, work: Promise<unknown>): Promise<Problem> {
  const error = await work.then(
    () => assert.fail(`no ${slug}`),
    (reason: unknown) => reason,
  );
  assert.ok(error instanceof Problem, `${error}`);
  assert.equal(error.slug, slug);
  return error;
}

const innerHosts = [
  '127.0.0.1',
  '0x7f.1',
  '2130706433',
  '017700000001',
  '①②⑦.0.0.1',
  '127.0.0.1.',
  '127.1',
  '0',
  '0.0.0.0',
  '[::1]',
  '[::]',
  '[::ffff:7f00:1]',
  '[::ffff:127.0.0.1]',
  '[64:ff9b::7f00:1]',
  '[2002:7f00:1::]',
  '[fd00::1]',
  '[fe80::1]',
  '[fec0::1]',
  'localhost',
  'localhost.',
  'a.localhost',
  '169.254.169.254',
  '100.64.0.1',
  '10.0.0.1',
  '172.16.0.1',
  '192.168.0.1',
  '198.18.0.1',
  '224.0.0.1',
  '255.255.255.255',
];

test('no spelling of an inner address is fetched or called', async () => {
  for (const host of innerHosts) {
    for (const scheme of ['http', 'https']) {
      const url = `${scheme}://${host}:8080/`;
      await assertProblem('blocked-address', fetchFile(url, { allowed: nobody }));
      await assertProblem('blocked-address', postJson(url, '{}', { headers: {}, allowed: nobody, timeoutMs: 30_000 }));
    }
  }
});

test('public addresses pass the policy, literal ones too', () => {
  for (const host of ['8.8.8.8', '1.1.1.1', '[2606:4700::1111]', 'example.com']) {
    assert.doesNotThrow(() => guardedAgent(new URL(`http://${host}/`), nobody));
  }
});

test('the agent itself refuses literal inner addresses, whatever was checked before', async () => {
  for (const host of [canaryAddress, '127.0.0.1', '[::1]', '[::ffff:7f00:1]', '169.254.169.254', '100.64.0.1']) {
    const url = new URL(`http://${host}:8080/`);
    const error = await new Promise<unknown>((resolve) => {
      request(url, { agent: guardedAgent(url, nobody) }, resolve)
        .on('error', resolve)
        .end();
    });
    assert.ok(isBlocked(error), `${host}: ${error}`);
  }
});

test('schemes, users, ports and overlong URLs are refused by name', async () => {
  for (const url of ['file:///etc/passwd', 'data:,x', 'gopher://x.test/', 'ftp://x.test/']) {
    await assertProblem('unsupported-scheme', fetchFile(url));
  }
  for (const url of [
    'http://u:p@x.test/',
    'http://x.test:22/',
    'http://x.test:6379/',
    'http://',
    'nonsense',
    `http://x.test/${'a'.repeat(2048)}`,
  ]) {
    await assertProblem('invalid-url', fetchFile(url));
  }
});

test('a name that leads inside is refused, also among public addresses and after it was public once', async () => {
  let asked = 0;
  addressesOf = {
    'inside.test': () => [canaryAddress],
    'mixed.test': () => ['8.8.8.8', canaryAddress],
    'rebind.test': () => (asked++ === 0 ? ['8.8.8.8'] : [canaryAddress]),
  };
  await assert.rejects(fetchFile('http://rebind.test:8080/x', { timeoutMs: 100 }));
  for (const name of ['inside.test', 'mixed.test', 'rebind.test']) {
    await assertProblem('blocked-address', fetchFile(`http://${name}:8080/x`));
    await assertProblem('blocked-address', fetchFile(`https://${name}:8080/x`));
  }
  assert.ok(names.asked.includes('rebind.test'));
  await assertProblem('remote-error', fetchFile('http://unknown.test/'));
});

test('a name is allowed when it leads to an address that the operator named', async () => {
  routes['/ok'] = (response) => response.end('fine');
  const { port } = site.address() as AddressInfo;
  addressesOf = { 'lab.test': () => ['127.0.0.1'] };
  const url = `http://lab.test:${port}/ok`;
  // Its port is unusual, so the text of the URL is refused; the agent alone would connect.
  await assertProblem('invalid-url', fetchFile(url, { allowed: new AllowedHosts(['127.0.0.0/8']) }));
  const status = await new Promise((resolve, reject) => {
    const agent = guardedAgent(new URL(url), new AllowedHosts(['127.0.0.0/8']), names.resolver);
    request(url, { agent }, (response) => resolve(response.resume().statusCode))
      .on('error', reject)
      .end();
  });
  assert.equal(status, 200);
});

test('a redirect inside, by address or by name, is refused on its hop', async () => {
  addressesOf = { 'inside.test': () => [canaryAddress] };
  for (const to of [
    `http://${canaryAddress}:8080/`,
    'http://inside.test:8080/',
    '//inside.test:8080/',
    'http://[::1]:8080/',
  ]) {
    routes['/inside'] = (response) => response.writeHead(302, { location: to }).end();
    await assertProblem('blocked-address', fetchFile(`${origin}/inside`));
  }
  routes['/inside'] = (response) => response.writeHead(302, { location: 'file:///etc/passwd' }).end();
  await assertProblem('unsupported-scheme', fetchFile(`${origin}/inside`));
});

test('three redirects are followed, four are not, and a POST follows none', async () => {
  routes['/r0'] = (response) => response.setHeader('content-type', 'Audio/WAV; x=1').end('data');
  for (const n of [1, 2, 3, 4])
    routes[`/r${n}`] = (response) => response.writeHead(307, { location: `r${n - 1}` }).end();
  const { path, bytes, type } = await fetchFile(`${origin}/r3`);
  assert.deepEqual([bytes, type, await readFile(path, 'utf8')], [4, 'audio/wav', 'data']);
  await assertProblem('too-many-redirects', fetchFile(`${origin}/r4`));
  const posted = await postJson(`${origin}/r1`, '{}', { headers: {}, allowed, timeoutMs: 30_000 });
  assert.equal(posted.status, 307);
});

test('one layer of compression is undone; bombs and chained encodings are refused', async () => {
  const text = 'x'.repeat(50_000);
  const coders = { gzip: gzipSync, deflate: deflateSync, br: brotliCompressSync };
  for (const [encoding, coder] of Object.entries(coders)) {
    routes['/packed'] = (response) => response.writeHead(200, { 'content-encoding': encoding }).end(coder(text));
    assert.equal((await fetchFile(`${origin}/packed`)).bytes, 50_000);
    routes['/packed'] = (response) =>
      response.writeHead(200, { 'content-encoding': encoding }).end(coder(Buffer.alloc(50_000_000)));
    await assertProblem('remote-too-large', fetchFile(`${origin}/packed`));
  }
  routes['/packed'] = (response) =>
    response.writeHead(200, { 'content-encoding': 'gzip, gzip' }).end(gzipSync(gzipSync(text)));
  await assertProblem('remote-too-large', fetchFile(`${origin}/packed`));
  routes['/packed'] = (response) =>
    response.writeHead(200, { 'content-encoding': 'gzip' }).end(gzipSync(text).subarray(0, 40));
  await assertProblem('remote-error', fetchFile(`${origin}/packed`));
  routes['/packed'] = (response) => response.writeHead(200, { 'content-encoding': 'zzz' }).end(text);
  await assertProblem('remote-error', fetchFile(`${origin}/packed`));
});

test('endless, overlong and lying bodies end, and leave no file', async () => {
  const endless = (response: ServerResponse) => {
    const write = () => {
      while (response.write(Buffer.alloc(65_536)) && !response.destroyed);
    };
    response.on('drain', write);
    write();
  };
  routes['/endless'] = endless;
  await assertProblem('remote-too-large', fetchFile(`${origin}/endless`));
  routes['/long'] = (response) => response.writeHead(200, { 'content-length': '100001' }).write('x');
  await assertProblem('remote-too-large', fetchFile(`${origin}/long`));
  routes['/short'] = (response) => {
    response.writeHead(200, { 'content-length': '5000' }).write('x');
    setTimeout(() => response.destroy(), 20);
  };
  const path = join(dir, 'lying');
  await assertProblem('remote-error', fetchFile(`${origin}/short`, { path }));
  assert.equal(existsSync(path), false);
});

test('a slow body, silence and a silent name server time out', async () => {
  routes['/slow'] = (response) => {
    const timer = setInterval(() => response.write('x'), 50);
    response.on('close', () => clearInterval(timer));
  };
  const slow = await assertProblem(
    'remote-timeout',
    fetchFile(`${origin}/slow`, { rateWindowMs: 200, timeoutMs: 20_000 }),
  );
  assert.match(slow.detail, /bytes a second/);
  await assertProblem('remote-timeout', fetchFile(`${origin}/slow`, { timeoutMs: 300 }));
  routes['/silent'] = () => {};
  await assertProblem('remote-timeout', fetchFile(`${origin}/silent`, { timeoutMs: 200 }));
  await assertProblem('remote-timeout', postJson(`${origin}/silent`, '{}', { headers: {}, allowed, timeoutMs: 200 }));
  const silent = { resolve4: () => new Promise<never>(() => {}), resolve6: () => new Promise<never>(() => {}) };
  await assertProblem('remote-timeout', fetchFile('http://x.test/', { resolver: silent as never, timeoutMs: 200 }));
});

test('faults of the host are one problem that repeats nothing of its answer', async () => {
  const missing = await assertProblem('remote-error', fetchFile(`${origin}/missing`));
  assert.doesNotMatch(JSON.stringify(missing.toDetails()), /secret/);
  await assertProblem('remote-error', fetchFile(origin.replace('http:', 'https:')));
  routes['/switch'] = (response) => response.writeHead(101, { connection: 'upgrade', upgrade: 'x' }).end();
  await assertProblem('remote-error', fetchFile(`${origin}/switch`));
  routes['/reset'] = (response) => response.socket?.resetAndDestroy();
  await assertProblem('remote-error', postJson(`${origin}/reset`, '{}', { headers: {}, allowed, timeoutMs: 30_000 }));
});

test("the caller's signal ends it with the caller's reason, and a file in the way is kept", async () => {
  routes['/silent'] = () => {};
  const controller = new AbortController();
  const work = fetchFile(`${origin}/silent`, { signal: controller.signal });
  setTimeout(() => controller.abort(new Error('enough')), 50);
  await assert.rejects(work, /enough/);
  routes['/ok'] = (response) => response.end('fine');
  const { path } = await fetchFile(`${origin}/ok`);
  await assert.rejects(fetchFile(`${origin}/ok`, { path }), /EEXIST/);
  assert.equal(await readFile(path, 'utf8'), 'fine');
});

test('a POST carries its bytes and headers, and reports status and Retry-After', async () => {
  let seen = '';
  routes['/hook'] = (response, body) => {
    seen = body;
    response.writeHead(429, { 'retry-after': '17' }).end('x'.repeat(100_000));
  };
  const reply = await postJson(`${origin}/hook`, '{"ä":1}', {
    headers: { 'webhook-id': 'a' },
    allowed,
    timeoutMs: 30_000,
  });
  assert.deepEqual(reply, { status: 429, retryAfterSeconds: 17 });
  assert.equal(seen, '{"ä":1}');
  assert.equal(parseRetryAfter('Wed, 21 Oct 2026 07:28:30 GMT', Date.parse('2026-10-21T07:28:00Z')), 30);
  assert.equal(parseRetryAfter('soon', 0), null);
  assert.equal(parseRetryAfter('-5', 0), null);
});

test('a name that the operator allowed is called without a word in the log', async (t) => {
  routes['/ok'] = (response) => response.end('fine');
  const print = t.mock.method(console, 'error', () => {});
  const warn = t.mock.method(console, 'warn', () => {});
  const host = `localhost:${new URL(origin).port}`;
  const posted = await postJson(`http://${host}/ok`, '{}', {
    headers: {},
    allowed: new AllowedHosts([host]),
    timeoutMs: 30_000,
  });
  assert.equal(posted.status, 200);
  assert.deepEqual([print.mock.callCount(), warn.mock.callCount()], [0, 0]);
});

test('proxies in the environment are not used', async () => {
  routes['/ok'] = (response) => response.end('fine');
  const script = `
    import { postJson } from '${import.meta.dirname}/guarded-fetch.ts';
    import { AllowedHosts } from '${import.meta.dirname}/url-policy.ts';
    const allowed = new AllowedHosts(['${new URL(origin).host}']);
    const { status } = await postJson('${origin}/ok', '{}', { headers: {}, allowed, timeoutMs: 30_000 });
    process.exit(status === 200 ? 0 : 1);`;
  const proxy = `http://${canaryAddress}:8080`;
  // Node reads these at its start, so it takes a process of its own.
  const env = { ...process.env, HTTP_PROXY: proxy, http_proxy: proxy, NO_PROXY: '', NODE_USE_ENV_PROXY: '1' };
  const child = spawn(process.execPath, ['--input-type=module', '-e', script], { env, stdio: 'ignore' });
  assert.deepEqual(await once(child, 'exit'), [0, null]);
});

test('through all of this, the inner service saw no connection', () => {
  assert.equal(canaryConnections, 0);
});
