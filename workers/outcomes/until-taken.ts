/** A write that must not be given up: repeated, with pauses of 50 ms to 2 s, until Redis takes it. */
import { setTimeout as sleep } from 'node:timers/promises';

const pauseMsMax = 2000;

export async function untilTaken<Reply>(
  write: () => Promise<Reply>,
  onRefused: (error: unknown, pauseMs: number) => void,
): Promise<Reply> {
  for (let attempt = 0; ; attempt++) {
    try {
      return await write();
    } catch (error) {
      const pauseMs = Math.min(pauseMsMax, 50 * 2 ** attempt);
      onRefused(error, pauseMs);
      await sleep(pauseMs);
    }
  }
}
