/**
 * Tells whether a folder changed without reading what is in its files: names, sizes and times of change. What hashing
 * would find beyond that is a file edited in place within the clock's resolution, at the same size.
 */
import { createHash } from 'node:crypto';
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';

/** A Hub folder has some twenty; who puts a data set into a model's folder is told. */
const filesMax = 10_000;

/** One line a file, in order. Follows links, since the Hub's cache is made of them. */
export async function printOf(folder: string): Promise<string> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  if (entries.length > filesMax) throw new Error(`more than ${filesMax} files in one model folder`);
  const files = entries.filter((entry) => !entry.isDirectory());
  const lines = files.map(async (entry) => {
    const path = join(entry.parentPath, entry.name);
    const found = await stat(path).catch(() => null);
    return `${path.slice(folder.length)} ${found?.size} ${found?.mtimeMs}`;
  });
  return (await Promise.all(lines)).sort().join('\n');
}

/** Twelve hex digits: enough to tell the states of one version from each other. */
export function hashText(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 12);
}
