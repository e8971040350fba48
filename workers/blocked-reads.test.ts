/** Those who sleep in a read, on a real Redis behind a network that swallows what it is sent. */
import assert from 'node:assert/strict';
import { connect, createServer, type Socket } from 'node:net';
import { after, test } from 'node:test';
import { Redis } from 'ioredis';
import { keys } from '../shared/jobs/keys.ts';
import { markerOf } from '../shared/jobs/queues.ts';
import { freePort } from '../shared/testing/free-port.ts';
import { startTestRedis } from '../shared/testing/redis.ts';
import { waitUntil } from '../shared/testing/wait-until.ts';
import { QueueWait } from './claims/queue-wait.ts';
import { PredictionStream } from './prediction-log/read-stream.ts';

const queue = 'm.normal';
const server = await startTestRedis();
const redis = new Redis(server.url);
after(async () => {
  redis.disconnect();
  await server.stop();
});

/** A reader that was made of `connection`: its read, what ends that, and the reader's end. */
type Reads = (connection: Redis) => { read: Promise<unknown>; wake: () => Promise<unknown>; stop: () => void };

const readers: Readonly<Record<string, Reads>> = {
  'a consumer': (connection) => {
    const wait = new QueueWait(connection, queue, 'me');
    const wake = () => redis.zadd(markerOf(queue), 0, '0');
    return { read: wait.untilWoken(null), wake, stop: () => wait.close() };
  },
  'the log writer': (connection) => {
    const stream = new PredictionStream(connection);
    const wake = () => redis.xadd(keys.predictions, '*', 'a', '1');
    return { read: stream.read(1, 5000), wake, stop: () => stream.stop() };
  },
};

for (const [name, begin] of Object.entries(readers))
  test(`connections of ${name} that never answer are given up, one after the other, until one does`, async (t) => {
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
    const { read, wake, stop } = begin(new Redis(options));
    t.after(() => {
      stop();
      network.close();
    });
    for (const count of [1, 2]) {
      await waitUntil(`connection ${count} was made`, () => connections === count, 10_000);
      t.mock.timers.tick(10_000);
    }
    await waitUntil('the third one was made', () => connections === 3, 10_000);
    await wake();
    assert.ok(await read);
  });
