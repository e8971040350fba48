/** The rule files of monitoring/prometheus/rules as data, and with other windows: tests have seconds, not hours. */
import { readdirSync, readFileSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { parse } from 'yaml';

export const root = resolve(import.meta.dirname, '../..');
const rulesFolder = join(root, 'monitoring/prometheus/rules');

export interface Rule {
  readonly file: string;
  /** Of a recording rule. */
  readonly record?: string;
  readonly alert?: string;
  readonly expr: string;
  readonly for?: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
}

export function ruleFiles(): readonly string[] {
  return readdirSync(rulesFolder)
    .filter((name) => name.endsWith('.yml'))
    .map((name) => join(rulesFolder, name));
}

export function readRules(): readonly Rule[] {
  return ruleFiles().flatMap((path) => {
    const { groups } = parse(readFileSync(path, 'utf8')) as { groups: { rules: Omit<Rule, 'file'>[] }[] };
    return groups.flatMap(({ rules }) => rules.map((rule) => ({ file: basename(path), ...rule })));
  });
}

export function readAlerts(): readonly (Rule & { readonly alert: string })[] {
  return readRules().filter((rule): rule is Rule & { readonly alert: string } => rule.alert !== undefined);
}

const unitMs: Readonly<Record<string, number>> = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };
/** A rate needs two scrapes, and one of them may be late. */
const windowMsMin = 5000;
const stepMsMin = 1000;

/**
 * PromQL or a whole rule file with every duration times `factor`: windows (5 s at least), offsets, and how long an alert
 * must hold. Names of recorded series keep theirs, and thresholds that are numbers of seconds stay as they are.
 */
export function scaleDurations(text: string, factor: number): string {
  const scaled = (number: string, unit: string, least: number) =>
    `${Math.round(Math.max(least, Number(number) * (unitMs[unit] ?? 0) * factor))}ms`;
  return text
    .replaceAll(/\[(\d+)([smhd])(?::(\d+)([smhd]))?\]/g, (_, number, unit, stepNumber, stepUnit) => {
      const step = stepNumber === undefined ? '' : `:${scaled(stepNumber, stepUnit, stepMsMin)}`;
      return `[${scaled(number, unit, windowMsMin)}${step}]`;
    })
    .replaceAll(/\boffset (\d+)([smhd])\b/g, (_, number, unit) => `offset ${scaled(number, unit, windowMsMin)}`)
    .replaceAll(/^(\s+for: )(\d+)([smhd])$/gm, (_, head, number, unit) => `${head}${scaled(number, unit, 0)}`);
}
