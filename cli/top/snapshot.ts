/**
 * One reading of all metrics, and what two readings say together: increases of counters and quantiles of histograms.
 * Pure. A counter that went back belongs to a process that started again: it counts from nothing.
 */

export type Labels = Readonly<Record<string, string>>;

interface Sample {
  readonly labels: Labels;
  readonly value: number;
}

export class Snapshot {
  readonly atMs: number;
  readonly #families = new Map<string, Map<string, Sample>>();

  /** `pages`: texts in Prometheus' format. */
  constructor(pages: readonly string[], atMs: number) {
    this.atMs = atMs;
    for (const page of pages) for (const line of page.split('\n')) this.#read(line);
  }

  /** Samples whose labels hold all of `wanted`, with the key that names the series. */
  select(name: string, wanted: Labels = {}): [key: string, sample: Sample][] {
    const entries = [...(this.#families.get(name) ?? [])];
    return entries.filter(([, { labels }]) =>
      Object.entries(wanted).every(([label, value]) => labels[label] === value),
    );
  }

  value(name: string, key: string): number | undefined {
    return this.#families.get(name)?.get(key)?.value;
  }

  /** For levels that each process has of its own. */
  sum(name: string, wanted?: Labels): number {
    return this.select(name, wanted).reduce((sum, [, { value }]) => sum + value, 0);
  }

  /** For levels that every API reads from the same Redis. Undefined when nobody tells. */
  max(name: string, wanted?: Labels): number | undefined {
    const values = this.select(name, wanted).map(([, { value }]) => value);
    return values.length > 0 ? Math.max(...values) : undefined;
  }

  /** Every value of a label, sorted. */
  labelValues(name: string, label: string): string[] {
    const values = this.select(name).map(([, { labels }]) => labels[label]);
    return [...new Set(values.filter((value) => value !== undefined))].sort();
  }

  #read(line: string): void {
    const [, name, labelText = '', value] = /^([a-zA-Z_:][\w:]*)(?:\{(.*)\})? (\S+)/.exec(line) ?? [];
    if (name === undefined || value === undefined) return;
    const labels = readLabels(labelText);
    const family = this.#families.get(name) ?? new Map<string, Sample>();
    this.#families.set(name, family);
    family.set(labelText, { labels, value: Number(value.replace('Inf', 'Infinity')) });
  }
}

function readLabels(text: string): Labels {
  const labels: Record<string, string> = {};
  for (const [, label = '', value = ''] of text.matchAll(/([a-zA-Z_]\w*)="((?:[^"\\]|\\.)*)"/g))
    labels[label] = value.replaceAll(/\\(.)/g, (_, sign) => (sign === 'n' ? '\n' : sign));
  return labels;
}

export function increase(before: Snapshot, now: Snapshot, name: string, wanted?: Labels): number {
  return now.select(name, wanted).reduce((sum, [key, { value }]) => sum + stepOf(before.value(name, key), value), 0);
}

function stepOf(before: number | undefined, value: number): number {
  return before === undefined || value < before ? value : value - before;
}

/** Increase a second. */
export function rate(before: Snapshot, now: Snapshot, name: string, wanted?: Labels): number {
  const seconds = (now.atMs - before.atMs) / 1000;
  return seconds > 0 ? increase(before, now, name, wanted) / seconds : 0;
}

/** As Prometheus' histogram_quantile: even within a bucket. Undefined when nothing was observed in between. */
export function quantile(
  before: Snapshot,
  now: Snapshot,
  name: string,
  q: number,
  wanted?: Labels,
): number | undefined {
  const counts = new Map<number, number>();
  for (const [key, { labels, value }] of now.select(`${name}_bucket`, wanted)) {
    const bound = labels['le'] === '+Inf' ? Number.POSITIVE_INFINITY : Number(labels['le']);
    counts.set(bound, (counts.get(bound) ?? 0) + stepOf(before.value(`${name}_bucket`, key), value));
  }
  const buckets = [...counts].sort(([a], [b]) => a - b);
  const total = buckets.at(-1)?.[1] ?? 0;
  if (total <= 0) return undefined;
  const rank = q * total;
  const index = buckets.findIndex(([, count]) => count >= rank);
  const [bound = 0, count = 0] = buckets[index] ?? [];
  const [lower, below] = buckets[index - 1] ?? [0, 0];
  if (!Number.isFinite(bound)) return lower;
  return lower + ((bound - lower) * (rank - below)) / Math.max(count - below, 1e-9);
}
