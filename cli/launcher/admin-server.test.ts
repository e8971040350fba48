/** The admin port against those who send what no browser would: slow headers, framing tricks, headers of one hop. */
import assert from 'node:assert/strict';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { after, before, describe, it } from 'node:test';
import { createRegistry } from '../../shared/observability/metrics.ts';
import { type AdminServer, serveAdmin } from './admin-server.ts';

interface Seen {
  readonly url: string | undefined;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
}

describe('the admin port', () => {
  let board: Server;
  let admin: AdminServer;
  let seen: Seen[] = [];
  before(async () => {
    board = createServer(async (request, response) => {
      let body = '';
      for await (const chunk of request) body += chunk;
      seen.push({ url: request.url, headers: request.headers, body });
      response.setHeader('Connection', 'x-inner').setHeader('X-Inner', '1').end('a page');
    });
    await new Promise<void>((resolve) => board.listen(0, '127.0.0.1', resolve));
    const boardPort = (board.address() as AddressInfo).port;
    admin = await serveAdmin({
      host: '127.0.0.1',
      port: 0,
      token: undefined,
      metricsPorts: () => [],
      boardPort: () => boardPort,
      own: createRegistry('launcher', 'launcher'),
    });
  });
  after(async () => {
    await admin.stop();
    board.closeAllConnections();
    await new Promise((resolve) => board.close(resolve));
  });

  /** Reads until the server closes the connection. */
  const send = async (text: string): Promise<{ answer: string; ms: number }> => {
    seen = [];
    const startedAt = performance.now();
    const socket = connect(admin.port, '127.0.0.1');
    socket.on('error', () => {});
    socket.write(text);
    let answer = '';
    for await (const chunk of socket) answer += chunk;
    return { answer, ms: performance.now() - startedAt };
  };
  const close = 'Host: localhost\r\nConnection: close\r\n';

  it('cuts off who never ends the headers', { timeout: 120_000 }, async () => {
    const { answer, ms } = await send('GET /livez HTTP/1.1\r\nHost: localhost\r\nX-Slow: ');
    assert.match(answer, /^HTTP\/1\.1 408/);
    // After 10 s, looked at each second; a busy machine adds to it. Node's own patience is a minute.
    assert.ok(ms < 40_000, `${ms} ms`);
  });

  it('hands a body on as one request, however it is framed', async () => {
    const inner = 'GET /inner HTTP/1.1\r\nHost: localhost\r\n\r\n';
    const chunked = `Transfer-Encoding: chunked\r\n\r\n${inner.length.toString(16)}\r\n${inner}\r\n0\r\n\r\n`;
    for (const method of ['GET', 'DELETE', 'POST', 'OPTIONS']) {
      await send(`${method} /admin/x HTTP/1.1\r\n${close}${chunked}`);
      assert.deepEqual(
        seen.map(({ url, body }) => [url, body]),
        [['/admin/x', inner]],
        method,
      );
      await send(`${method} /admin/x HTTP/1.1\r\n${close}Content-Length: ${inner.length}\r\n\r\n${inner}`);
      assert.deepEqual(
        seen.map(({ url, body }) => [url, body]),
        [['/admin/x', inner]],
        method,
      );
    }
    await send(`GET /admin/x HTTP/1.1\r\n${close.replace('close', 'close, transfer-encoding')}${chunked}`);
    assert.deepEqual(
      seen.map(({ body }) => body),
      [inner],
      'also when it is called a hop',
    );
    const both = await send(`POST /admin/x HTTP/1.1\r\n${close}Content-Length: 4\r\n${chunked}`);
    assert.match(both.answer, /^HTTP\/1\.1 400/);
    assert.equal(seen.length, 0);
  });

  it('keeps what is about one connection on that connection', async () => {
    const { answer } = await send(
      'GET /admin/x HTTP/1.1\r\nHost: localhost\r\nConnection: close, x-secret\r\nX-Secret: 1\r\nUpgrade: h2c\r\nTE: trailers\r\nProxy-Authorization: x\r\nX-Forwarded-For: 9.9.9.9\r\n\r\n',
    );
    assert.match(answer, /a page/);
    assert.doesNotMatch(answer, /x-inner/i);
    const [request] = seen;
    for (const name of ['x-secret', 'upgrade', 'te', 'proxy-authorization'])
      assert.equal(request?.headers[name], undefined, name);
    assert.equal(request?.headers['x-forwarded-for'], '127.0.0.1');
  });
});
