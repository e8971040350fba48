/** The peer: BullMQ as its documentation has it, with a processor that does nothing. */
import { Worker } from 'bullmq';
import { Redis } from 'ioredis';

const { url, concurrency } = JSON.parse(process.argv[2] ?? '{}') as { url: string; concurrency: number };
const connection = new Redis(url, { maxRetriesPerRequest: null });
const worker = new Worker('plain', async () => 'done', { connection, concurrency, removeOnComplete: { age: 3600 } });
await worker.waitUntilReady();
process.send?.({ type: 'started' });
process.on('SIGTERM', () => void worker.close().then(() => process.exit(0)));
