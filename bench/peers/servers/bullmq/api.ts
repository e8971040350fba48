/** Plain BullMQ as its documentation has it: an HTTP server that adds a job and waits for its result. */
import { createServer } from 'node:http';
import { Queue, QueueEvents } from 'bullmq';
import { Redis } from 'ioredis';

const url = process.env['BENCH_REDIS'] ?? '';
const connection = new Redis(url, { maxRetriesPerRequest: null });
const queue = new Queue('embed', { connection });
const events = new QueueEvents('embed', { connection: new Redis(url, { maxRetriesPerRequest: null }) });
events.setMaxListeners(0);
await events.waitUntilReady();

const server = createServer(async (request, response) => {
  try {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const { texts } = JSON.parse(Buffer.concat(chunks).toString()) as { texts: string[] };
    const job = await queue.add('embed', { texts }, { removeOnComplete: { age: 3600 } });
    const vectors = await job.waitUntilFinished(events, 60_000);
    response.setHeader('content-type', 'application/json').end(JSON.stringify({ vectors }));
  } catch (error) {
    response.writeHead(500).end((error as Error).message);
  }
});
server.listen(Number(process.env['BENCH_PORT']), '127.0.0.1');
