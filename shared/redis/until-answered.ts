/**
 * The deadline of a read that blocks. A connection that was cut without a word never answers, and TCP finds out after
 * eleven minutes (nine probes 75 s apart): it is given up long before, and so is the next one, as long as the network is away.
 * ioredis sends the read again on each.
 */
import type { Redis } from 'ioredis';

/** Beyond what the read may block: a Redis that is busy for so long is as good as away. */
const graceMs = 5000;

/** `reply` of a command that blocks for `blockMs` at most; `connection` has no other. */
export async function untilAnswered<T>(connection: Redis, blockMs: number, reply: Promise<T>): Promise<T> {
  const watchdog = setInterval(() => connection.disconnect(true), blockMs + graceMs);
  try {
    return await reply;
  } finally {
    clearInterval(watchdog);
  }
}
