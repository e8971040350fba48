/**
 * A port for a server that a test is about to start, in this process or another. Not one that the system would give: it
 * gives those to outgoing connections too (32768 to 60999 on Linux), and a server that starts a second later may find its
 * port taken. Once in a busy run that cost a stack of five programs one of its five.
 */
import { createServer, type Server } from 'node:net';

const lowest = 20_000;
/** Below what Linux and macOS give by themselves, and below 32,767. */
const blocks = 127;
const portsPerBlock = 100;

/**
 * Test files run in processes of their own, each with a block of its own: the block's first port is held as long as the
 * process lives. Two that share a block both find a port free of which the server has not started yet.
 */
let block: Promise<number> | undefined;
/** The block's ports in turn: one that was given lately may have no server yet. */
let given = 0;

export async function freePort(): Promise<number> {
  block ??= takeBlock();
  const first = await block;
  for (let tries = 1; tries < portsPerBlock; tries++) {
    const port = first + 1 + (given++ % (portsPerBlock - 1));
    const server = await listen(port);
    if (server === null) continue;
    await new Promise((closed) => server.close(closed));
    return port;
  }
  throw new Error(`No port from ${first + 1} to ${first + portsPerBlock - 1} is free.`);
}

/** The first port of a block that nobody else has. */
async function takeBlock(): Promise<number> {
  for (let tries = 0; tries < blocks; tries++) {
    const first = lowest + ((process.pid + tries) % blocks) * portsPerBlock;
    const held = await listen(first);
    if (held === null) continue;
    held.unref();
    return first;
  }
  throw new Error(`${blocks} processes hold every block of ports from ${lowest} on.`);
}

async function listen(port: number): Promise<Server | null> {
  return await new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(null));
    server.listen(port, '127.0.0.1', () => resolve(server));
  });
}
