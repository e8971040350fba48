/** When a delivery is tried again. Pure: the schedule of Standard Webhooks, jitter, and what the receiver asks for. */

/** Seconds before each attempt: ten attempts over 75.6 hours. */
export const retrySchedule = [0, 5, 300, 1800, 7200, 18_000, 36_000, 50_400, 72_000, 86_400] as const;

/** A receiver may put the next attempt off by a day, not for ever. */
const retryAfterSecondsMax = 86_400;
/** One tenth either way, so that what failed together does not return together. */
const jitter = 0.1;

/**
 * Milliseconds to wait before `attempt` (the first is 1); null when there is none. `random` gives [0, 1).
 * A Retry-After counts from its own zero: never earlier than it says, a little later.
 */
export function delayBeforeAttemptMs(
  attempt: number,
  random: () => number,
  retryAfterSeconds: number | null = null,
  schedule: readonly number[] = retrySchedule,
): number | null {
  const seconds = schedule[attempt - 1];
  if (seconds === undefined) return null;
  const planned = seconds * (1 - jitter + 2 * jitter * random());
  const asked = Math.min(retryAfterSeconds ?? 0, retryAfterSecondsMax) * (1 + jitter * random());
  return Math.round(Math.max(planned, asked) * 1000);
}
