/** Reads counters and histograms out of Prometheus text. */

export type Samples = ReadonlyMap<string, number>;

/** The admin port's text as `name{labels}` -> value. */
export async function scrape(adminUrl: string): Promise<Samples> {
  const response = await fetch(`${adminUrl}/metrics`, { signal: AbortSignal.timeout(10_000) });
  const samples = new Map<string, number>();
  for (const line of (await response.text()).split('\n')) {
    const space = line.lastIndexOf(' ');
    if (!line.startsWith('#') && space > 0) samples.set(line.slice(0, space), Number(line.slice(space + 1)));
  }
  return samples;
}

/** Sum over all series of a counter. */
export function readCounters(samples: Samples, name: string): number {
  let sum = 0;
  for (const [series, value] of samples) if (series.startsWith(`${name}{`) || series === name) sum += value;
  return sum;
}

/** Upper bound of the bucket in which the quantile of a role's loop delay fell between two scrapes, interpolated. */
export function delayQuantile(before: Samples, after: Samples, role: string, quantile: number): number {
  const counts = new Map<number, number>();
  for (const [series, value] of after) {
    if (!series.startsWith('inference_event_loop_delay_seconds_bucket') || !series.includes(`role="${role}"`)) continue;
    const le = /le="([^"]+)"/.exec(series)?.[1] ?? '';
    const bound = le === '+Inf' ? Number.POSITIVE_INFINITY : Number(le);
    counts.set(bound, (counts.get(bound) ?? 0) + value - (before.get(series) ?? 0));
  }
  const bounds = [...counts.keys()].toSorted((a, b) => a - b);
  const wanted = quantile * (counts.get(Number.POSITIVE_INFINITY) ?? 0);
  let low = 0;
  let below = 0;
  for (const bound of bounds) {
    const count = counts.get(bound) ?? 0;
    if (count >= wanted)
      return Number.isFinite(bound) ? low + ((bound - low) * (wanted - below)) / Math.max(1, count - below) : 10;
    low = bound;
    below = count;
  }
  return 0;
}
