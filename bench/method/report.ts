/** How a bench ends: a table for people, then one last line of JSON; kept under bench/results/ when asked to. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { join } from 'node:path';
import type { Ratio } from './ratio.ts';

export interface Figure {
  readonly name: string;
  readonly ratio: Ratio;
  /** What the ratio compares, for people. */
  readonly meaning: string;
  /** "<= 1.8", ">= 0.9" */
  readonly target: string;
}

export function printTable(headers: readonly string[], rows: readonly (readonly (string | number)[])[]): void {
  const text = [headers, ...rows].map((row) => row.map((cell) => (typeof cell === 'number' ? short(cell) : cell)));
  const widths = headers.map((_, column) => Math.max(...text.map((row) => row[column]?.length ?? 0)));
  for (const [index, row] of text.entries()) {
    console.log(
      row
        .map((cell, column) => (column === 0 ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0)))
        .join('  '),
    );
    if (index === 0) console.log(widths.map((width) => '-'.repeat(width)).join('  '));
  }
}

/** Prints the figures, then the last line: name, ratio, low, high. With several figures the last line is the first one's list. */
export function finish(
  bench: string,
  figures: readonly Figure[],
  extra: Readonly<Record<string, unknown>>,
  keep: boolean,
  /** Only for the file: tables that nobody reads in one line. */
  detail: Readonly<Record<string, unknown>> = {},
): void {
  console.log('');
  printTable(
    ['figure', 'ratio', 'low', 'high', 'target', 'meaning'],
    figures.map(({ name, ratio, target, meaning }) => [name, ratio.median, ratio.low, ratio.high, target, meaning]),
  );
  const lines = figures.map(({ name, ratio }) => ({
    name,
    ratio: round(ratio.median),
    low: round(ratio.low),
    high: round(ratio.high),
  }));
  if (keep) save(bench, figures, { ...extra, ...detail });
  console.log('');
  console.log(
    JSON.stringify(lines.length === 1 ? { ...lines[0], ...extra } : { name: bench, figures: lines, ...extra }),
  );
}

function save(bench: string, figures: readonly Figure[], extra: Readonly<Record<string, unknown>>): void {
  const folder = join(import.meta.dirname, '../results');
  mkdirSync(folder, { recursive: true });
  const machine = `${cpus().length} x ${cpus()[0]?.model.trim()}`;
  const commit = execFileSync('git', ['rev-parse', '--short', 'HEAD'], { encoding: 'utf8' }).trim();
  const command = `npm run bench -- ${process.argv.slice(2).join(' ')}`;
  const result = {
    bench,
    command,
    commit,
    date: new Date().toISOString(),
    machine,
    node: process.version,
    figures,
    ...extra,
  };
  writeFileSync(join(folder, `${bench}.json`), `${JSON.stringify(result, null, 2)}\n`);
}

export function round(value: number): number {
  return Math.round(value * 1000) / 1000;
}

function short(value: number): string {
  return value >= 100 ? value.toFixed(0) : value >= 10 ? value.toFixed(1) : value.toFixed(3);
}
