/** Whether an output holds what a sample expects. Pure. */

/** Scores differ in the third digit between processors and batch sizes. */
const relativeTolerance = 0.02;

/**
 * Subset match: objects need the expected keys, lists the expected entries at their places, numbers within 2 %; what
 * the expectation does not mention may be anything.
 */
export function matchesExpectation(actual: unknown, expected: unknown): boolean {
  if (typeof expected === 'number') {
    return (
      typeof actual === 'number' && Math.abs(actual - expected) <= relativeTolerance * Math.max(1, Math.abs(expected))
    );
  }
  if (Array.isArray(expected)) {
    return Array.isArray(actual) && expected.every((entry, index) => matchesExpectation(actual[index], entry));
  }
  if (expected !== null && typeof expected === 'object') {
    if (actual === null || typeof actual !== 'object') return false;
    return Object.entries(expected).every(([key, value]) =>
      matchesExpectation((actual as Record<string, unknown>)[key], value),
    );
  }
  return actual === expected;
}
