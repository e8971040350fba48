/** Waits for a condition with a deadline: tests never sleep for a guess. */
import { setTimeout as sleep } from 'node:timers/promises';

export async function waitUntil(
  what: string,
  condition: () => boolean | Promise<boolean>,
  timeoutMs = 5000,
): Promise<void> {
  const deadline = performance.now() + timeoutMs;
  let last: unknown;
  while (performance.now() < deadline) {
    try {
      if (await condition()) return;
    } catch (error) {
      last = error;
    }
    await sleep(10);
  }
  throw new Error(`Not within ${timeoutMs} ms: ${what}`, { cause: last });
}
