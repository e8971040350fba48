/** The `Prefer` header (RFC 7240), as far as it is understood here: `wait=<seconds>`. Pure. */

const waitSecondsMax = 60;

/** Seconds that the caller is ready to wait, at most 60; 0 when it is not. What is not understood is ignored, as the RFC says. */
export function preferredWait(header: string | undefined): number {
  const seconds = /(?:^|,)\s*wait\s*=\s*"?(\d{1,9})"?\s*(?=$|[,;])/i.exec(header ?? '')?.[1];
  return seconds === undefined ? 0 : Math.min(Number(seconds), waitSecondsMax);
}
