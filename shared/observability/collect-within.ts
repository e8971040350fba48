/**
 * Reads for a scrape that ask somebody else: bounded, so that a Redis that hangs does not hide the process's own metrics,
 * and shared by the metrics that one answer fills.
 */
import { setTimeout as sleep } from 'node:timers/promises';

/** Half of what the launcher gives a process to answer. */
const deadlineMs = 1000;
/** All metrics of one scrape are collected at once; the next scrape is a second away at least. */
const sharedMs = 500;

/** The answer, or undefined when it failed or did not come in time. */
export async function collectWithin<Answer>(read: () => Promise<Answer>): Promise<Answer | undefined> {
  const timeout = new AbortController();
  try {
    return await Promise.race([read(), sleep(deadlineMs, undefined, { signal: timeout.signal, ref: false })]);
  } catch {
    return undefined;
  } finally {
    timeout.abort();
  }
}

/** Asks once for all who ask within the same scrape. */
export function askOnce<Answer>(read: () => Promise<Answer>): () => Promise<Answer | undefined> {
  let askedMs = Number.NEGATIVE_INFINITY;
  let answer: Promise<Answer | undefined> = Promise.resolve(undefined);
  return () => {
    const nowMs = performance.now();
    if (nowMs - askedMs > sharedMs) {
      askedMs = nowMs;
      answer = collectWithin(read);
    }
    return answer;
  };
}
