/**
 * Waits for a condition with a deadline, also when asking for it hangs: tests never sleep for a guess. The deadline is for
 * what never comes: under three busy loops on two cores a Redis took 2 s to answer, a lane 7 s to start.
 */
import { setTimeout as sleep } from 'node:timers/promises';

export async function waitUntil(
  what: string,
  condition: () => boolean | Promise<boolean>,
  timeoutMs = 30_000,
): Promise<void> {
  const deadline = performance.now() + timeoutMs;
  const over = new AbortController();
  const late = sleep(timeoutMs, false, { signal: over.signal }).catch(() => false);
  let last: unknown;
  try {
    while (performance.now() < deadline) {
      try {
        if (await Promise.race([condition(), late])) return;
      } catch (error) {
        last = error;
      }
      await sleep(10);
    }
  } finally {
    over.abort();
  }
  throw new Error(`Not within ${timeoutMs} ms: ${what}`, { cause: last });
}
