/**
 * Turns readings of `performance.now()` into ms since 1970 with fractions. The process clock drifts from the wall clock
 * by some ms a day, so the difference is looked at each time; it moves only when the wall clock shows that it must.
 */

let offsetMs = performance.timeOrigin;

export function epochMs(monotonicMs: number): number {
  // Date.now() is cut to whole ms: the true difference lies within one above this.
  const least = Date.now() - performance.now();
  if (offsetMs < least || offsetMs >= least + 1) offsetMs = least + 0.5;
  return monotonicMs + offsetMs;
}
