/**
 * Examples as Parquet: lines on disk, which DuckDB turns into a file in a process of its own, so that what it takes
 * (150 MB with its threads) is given back. Both files are gone when the caller has read the second.
 */
import { fork } from 'node:child_process';
import { createReadStream, createWriteStream } from 'node:fs';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { Example } from './judged-examples.ts';

/** DuckDB writes about a million short rows in 5 s. */
const convertMs = 120_000;

/** Throws when `gone` aborts; null when there is no example: a Parquet file without a row would have no columns. */
export async function parquetOf(
  pages: AsyncIterable<readonly Example[]>,
  parent: string,
  gone: AbortSignal,
): Promise<Readable | null> {
  await mkdir(parent, { recursive: true, mode: 0o700 });
  const folder = await mkdtemp(join(parent, 'export-'));
  const remove = () => rm(folder, { recursive: true, force: true });
  try {
    const lines = join(folder, 'examples.jsonl');
    let count = 0;
    const written = async function* () {
      for await (const page of pages) {
        count += page.length;
        yield page.map((example) => `${JSON.stringify(example)}\n`).join('');
      }
    };
    await pipeline(Readable.from(written()), createWriteStream(lines, { mode: 0o600 }), { signal: gone });
    if (count === 0) {
      await remove();
      return null;
    }
    const file = join(folder, 'examples.parquet');
    await convert(lines, file, gone);
    const stream = createReadStream(file);
    stream.once('close', () => void remove());
    return stream;
  } catch (error) {
    await remove();
    throw error;
  }
}

async function convert(lines: string, file: string, gone: AbortSignal): Promise<void> {
  gone.throwIfAborted();
  const child = fork(join(import.meta.dirname, 'parquet-main.ts'), [lines, file], {
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
  });
  let words = '';
  child.stderr?.on('data', (chunk) => {
    words = (words + chunk).slice(-2000);
  });
  const end = () => child.kill('SIGKILL');
  const timer = setTimeout(end, convertMs);
  gone.addEventListener('abort', end);
  const code = await new Promise<number | null>((resolve) => child.once('exit', resolve));
  clearTimeout(timer);
  gone.removeEventListener('abort', end);
  if (code !== 0) throw new Error(`DuckDB could not write the Parquet file (exit ${code}): ${words}`);
}
