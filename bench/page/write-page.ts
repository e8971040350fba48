/**
 * Makes results/README.md and its plots of the JSON that benches left in results/: one table and one plot per bench, and
 * first of all what misses its target. `npm run bench -- page`.
 */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Figure } from '../method/report.ts';
import { drawBars, verdictOf } from './bars.ts';

const folder = join(import.meta.dirname, '../results');

interface Kept {
  readonly bench: string;
  readonly command: string;
  readonly commit: string;
  readonly date: string;
  readonly machine: string;
  readonly figures: readonly Figure[];
}

export async function writePage(): Promise<void> {
  const kept = readdirSync(folder)
    .filter((name) => name.endsWith('.json'))
    .toSorted()
    .map((name) => JSON.parse(readFileSync(join(folder, name), 'utf8')) as Kept);
  const sections = kept.flatMap((one) => section(one));
  const missed = kept.flatMap(({ figures }) => figures.filter(isMissed));
  const head = [
    '# Results',
    '',
    'Written by `npm run bench -- page` from the JSON beside it. Each figure is a ratio measured in one run, the median of',
    'pairs of blocks with its 95 % bootstrap bounds. Green bars reach their target, brown ones do not, grey ones',
    'have none; the line through a bar is the interval, the dashed line the target.',
    '',
    '## Where we lose',
    '',
    ...(missed.length === 0 ? ['Nothing that was measured misses its target.'] : tableOf(missed)),
    '',
  ];
  writeFileSync(join(folder, 'README.md'), `${[...head, ...sections].join('\n').trimEnd()}\n`);
}

function section({ bench, command, commit, date, machine, figures }: Kept): string[] {
  const head = [`## ${bench}`, '', `\`${command}\`, commit ${commit}, ${date.slice(0, 10)}, ${machine}`, ''];
  if (figures.length === 0) return [...head, 'Simulated only; the tables are in the JSON.', ''];
  writeFileSync(join(folder, `${bench}.svg`), drawBars(bench, figures));
  return [...head, ...tableOf(figures), '', `![${bench}](${bench}.svg)`, ''];
}

function tableOf(figures: readonly Figure[]): string[] {
  return [
    '| figure | ratio | low | high | target | what it compares |',
    '|---|---|---|---|---|---|',
    ...figures.map(
      ({ name, ratio, target, meaning }) =>
        `| ${name} | ${show(ratio.median)} | ${show(ratio.low)} | ${show(ratio.high)} | ${target} | ${meaning} |`,
    ),
  ];
}

/** By its median: the bounds say how sure that is. */
export function isMissed({ ratio, target }: Figure): boolean {
  return verdictOf(ratio.median, target) === 'missed';
}

function show(value: number): string {
  return value.toFixed(2);
}
