/**
 * A port for a server that a test is about to start, in this process or another. Not one that the system would give: it
 * gives those to outgoing connections too (32768 to 60999 on Linux), and a server that starts a second later may find its
 * port taken. Once in a busy run that cost a stack of five programs one of its five.
 */
import { createServer } from 'node:net';

const lowest = 20_000;
/** Below what Linux and macOS give by themselves, and below 32,767. */
const blocks = 127;
const portsPerBlock = 100;

/** Test files run in processes of their own: each begins in a block of its own, and goes on through the others. */
let next = (process.pid % blocks) * portsPerBlock;

export async function freePort(): Promise<number> {
  for (let tries = 0; tries < blocks * portsPerBlock; tries++) {
    const port = lowest + next;
    next = (next + 1) % (blocks * portsPerBlock);
    if (await isFree(port)) return port;
  }
  throw new Error(`No port from ${lowest} to ${lowest + blocks * portsPerBlock - 1} is free.`);
}

async function isFree(port: number): Promise<boolean> {
  return await new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });
}
