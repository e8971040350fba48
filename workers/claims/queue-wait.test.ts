/** A consumer's sleep on a real Redis, behind a network that swallows what it is sent. */
import assert from 'node:assert/strict';
import { connect, createServer, type Socket } from 'node:net';
import { after, test } from 'node:test';
import { Redis } from 'ioredis';
import { markerOf } from '../../shared/jobs/queues.ts';
import { freePort } from '../../shared/testing/free-port.ts';
import { startTestRedis } from '../../shared/testing/redis.ts';
import { waitUntil } from '../../shared/testing/wait-until.ts';
import { QueueWait } from './queue-wait.ts';

const queue = 'm.normal';
const server = await startTestRedis();
const redis = new Redis(server.url);
after(async () => {
  redis.disconnect();
  await server.stop();
});

test('connections that never answer are given up, one after the other, until one does', async (t) => {
  t.mock.timers.enable({ apis: ['setInterval'] });
  let connections = 0;
  const network = createServer((socket: Socket) => {
    socket.on('error', () => {});
    if (++connections <= 2) socket.resume();
    else socket.pipe(connect(server.port, '127.0.0.1').on('error', () => {})).pipe(socket);
  });
  const port = await freePort();
  network.listen(port, '127.0.0.1');
  const options = { host: '127.0.0.1', port, lazyConnect: true, maxRetriesPerRequest: null };
  const wait = new QueueWait(new Redis(options), queue, 'me');
  t.after(() => {
    wait.close();
    network.close();
  });
  const waking = wait.untilWoken(null);
  for (const count of [1, 2]) {
    await waitUntil(`connection ${count} was made`, () => connections === count);
    t.mock.timers.tick(10_000);
  }
  await waitUntil('the third one was made', () => connections === 3);
  await redis.zadd(markerOf(queue), 0, '0');
  assert.deepEqual(await waking, { kind: 'marker' });
});
