/** Query parameters: known ones only, each once. */
import { Problem } from '../../shared/problems/problem.ts';
import type { Call } from './call.ts';

/** Throws `invalid-parameter` naming the parameter; its value is never echoed. */
export function readQuery<Name extends string>(call: Call, known: readonly Name[]): Partial<Record<Name, string>> {
  const values: Partial<Record<Name, string>> = {};
  if (!call.hasQuery) return values;
  for (const [name, value] of call.query) {
    const found = known.find((candidate) => candidate === name);
    if (found === undefined) {
      throw badParameter(name, `Unknown query parameter. Known: ${known.join(', ') || 'none'}.`);
    }
    if (values[found] !== undefined) throw badParameter(name, 'The query parameter comes more than once.');
    if (value.includes('\0')) throw badParameter(name, 'The query parameter holds a NUL character.');
    values[found] = value;
  }
  return values;
}

/** The end of the year 9999: an offset can lead beyond it, where neither RFC 3339 nor PostgreSQL reads what we would write. */
export const timeMsMax = 253_402_300_799_999;

/** An RFC 3339 time, in ms. */
export function readTime(name: string, text: string): number {
  const ms = /^\d{4}-\d{2}-\d{2}(T\d{2}:\d{2}(:\d{2}(\.\d{1,9})?)?(Z|[+-]\d{2}:\d{2}))?$/.test(text)
    ? Date.parse(text)
    : Number.NaN;
  if (Number.isNaN(ms)) throw badParameter(name, 'Must be an RFC 3339 time, 2026-01-31T12:00:00Z.');
  return Math.min(Math.max(0, ms), timeMsMax);
}

export function readWhole(name: string, text: string, least: number, most: number): number {
  const number = /^\d{1,9}$/.test(text) ? Number(text) : Number.NaN;
  if (!(number >= least && number <= most))
    throw badParameter(name, `Must be a whole number from ${least} to ${most}.`);
  return number;
}

export function badParameter(name: string, detail: string): Problem {
  const shown = name.slice(0, 50);
  return new Problem('invalid-parameter', `${shown}: ${detail}`, { errors: [{ pointer: `?${shown}`, detail }] });
}
