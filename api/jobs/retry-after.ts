/** When to come back: spread over half to one and a half of the wish, so that the refused do not return in one wave. */
export function retryAfterSeconds(wish: number): number {
  return Math.max(1, Math.round(wish * (0.5 + Math.random())));
}
