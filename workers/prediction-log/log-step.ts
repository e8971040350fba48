/**
 * What happens to the record, in order: rows come, a job's rows go. A step is one line of text, so that it is the same in
 * memory and in the spool; its rows stay the JSON that the database takes.
 */
import type { PredictionRow } from './prediction-row.ts';

export type LogStep =
  | { readonly kind: 'rows'; readonly atMs: number; readonly rows: number; readonly json: string }
  | { readonly kind: 'erase'; readonly atMs: number; readonly tenant: string; readonly job: string };

/** One statement of so many takes about 30 ms, and its JSON about half a megabyte. */
export const rowsPerStepMax = 500;

export function rowsStep(atMs: number, rows: readonly PredictionRow[]): LogStep {
  return { kind: 'rows', atMs, rows: rows.length, json: toJson(rows) };
}

export function eraseStep(atMs: number, tenant: string, job: string): LogStep {
  return { kind: 'erase', atMs, tenant, job };
}

/** `<kind> <ms> <rows> <JSON>`; ends with a newline, so that a line that was cut short is seen. */
export function toLine(step: LogStep): string {
  if (step.kind === 'rows') return `R ${step.atMs} ${step.rows} ${step.json}\n`;
  return `E ${step.atMs} 1 ${JSON.stringify([step.tenant, step.job])}\n`;
}

/** null for what is no step: the torn end of a file. */
export function fromLine(line: string): LogStep | null {
  const match = /^([RE]) (\d+) (\d+) /.exec(line);
  if (!match) return null;
  const atMs = Number(match[2]);
  const json = line.slice(match[0].length);
  if (match[1] === 'R') return { kind: 'rows', atMs, rows: Number(match[3]), json };
  try {
    const [tenant, job] = JSON.parse(json) as [string, string];
    return { kind: 'erase', atMs, tenant, job };
  } catch {
    return null;
  }
}

/** Escapes that JSON allows and PostgreSQL refuses: NUL, and halves of surrogate pairs. */
const unstorable = /\\u(?:0000|d[89a-f])/i;

function toJson(rows: readonly PredictionRow[]): string {
  const json = JSON.stringify(rows);
  if (!unstorable.test(json)) return json;
  return JSON.stringify(rows, (_key, value: unknown) =>
    typeof value === 'string' ? value.toWellFormed().replaceAll('\0', '') : value,
  );
}
