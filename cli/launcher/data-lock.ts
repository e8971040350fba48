/**
 * One launcher per data folder: two redis-servers appending to one file would ruin it. The lock is a file that names its
 * holder; one whose holder is gone (SIGKILL, power cut) is taken over.
 */
import { linkSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { startOf } from './process-identity.ts';

interface Holder {
  readonly pid: number;
  readonly start: string | undefined;
}

export class DataInUse extends Error {}

/** Takes the lock of `dataDir` (made when missing). Returns what releases it. Throws DataInUse when another lives. */
export function lockData(dataDir: string): () => void {
  mkdirSync(dataDir, { recursive: true });
  const file = join(dataDir, 'launcher.lock');
  const mine = join(dataDir, `launcher.lock.${process.pid}`);
  const me: Holder = { pid: process.pid, start: startOf(process.pid) };
  writeFileSync(mine, JSON.stringify(me));
  try {
    // Twice: once after a stale lock has been put aside. A third failure means that another launcher was faster.
    for (let attempt = 0; attempt < 3; attempt += 1) {
      if (linkIfAbsent(mine, file)) return () => release(file);
      const holder = readHolder(file);
      if (holder && isHeld(holder)) {
        throw new DataInUse(
          `The data folder ${dataDir} is in use by process ${holder.pid}. Stop that one, or set MILLRACE_DATA (and PORT, ADMIN_PORT) for a second instance.`,
        );
      }
      putAside(file);
    }
    throw new DataInUse(`The data folder ${dataDir} has just been taken by another launcher.`);
  } finally {
    rmSync(mine, { force: true });
  }
}

function isHeld(holder: Holder): boolean {
  return startOf(holder.pid) !== undefined && (holder.start === undefined || startOf(holder.pid) === holder.start);
}

function release(file: string): void {
  if (readHolder(file)?.pid === process.pid) rmSync(file, { force: true });
}

/** link(2) creates the name or fails, in one step, and the file is complete from the first moment. */
function linkIfAbsent(from: string, to: string): boolean {
  try {
    linkSync(from, to);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

function putAside(file: string): void {
  const aside = `${file}.stale.${process.pid}`;
  try {
    renameSync(file, aside);
  } catch {
    return;
  }
  rmSync(aside, { force: true });
}

function readHolder(file: string): Holder | undefined {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as Holder;
  } catch {
    return undefined;
  }
}
