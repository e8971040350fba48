/**
 * Examples as CSV (RFC 4180). Lists and objects are JSON in one cell. A text that a spreadsheet would run as a formula gets
 * an apostrophe in front, as OWASP advises: inputs are strangers' words.
 */
import type { Example } from './judged-examples.ts';

export async function* csvOf(pages: AsyncIterable<readonly Example[]>): AsyncGenerator<string> {
  let columns: readonly string[] | undefined;
  for await (const page of pages) {
    if (!columns) {
      columns = Object.keys(page[0] ?? {});
      yield line(columns);
    }
    const names = columns;
    yield page.map((example) => line(names.map((name) => example[name]))).join('');
  }
}

function line(values: readonly unknown[]): string {
  return `${values.map(cell).join(',')}\r\n`;
}

function cell(value: unknown): string {
  if (value === null || value === undefined) return '';
  if (typeof value === 'number' || typeof value === 'boolean') return String(value);
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  const safe = /^[\s]*[=+\-@\t\r]/.test(text) ? `'${text}` : text;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}
