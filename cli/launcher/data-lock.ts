/**
 * One launcher per data folder: two redis-servers appending to one file would ruin it. The lock is a file that names its
 * holder; one whose holder is gone (SIGKILL, power cut) is taken over.
 */
import { linkSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { startOf } from './process-identity.ts';

interface Holder {
  readonly pid: number;
  readonly start: string | undefined;
}

export class DataInUse extends Error {}

const attemptsMax = 10;

/** Takes the lock of `dataDir` (made when missing). Returns what releases it. Throws DataInUse when another lives. */
export function lockData(dataDir: string): () => void {
  return takeLock(
    lockFileOf(dataDir),
    (pid) =>
      `The data folder ${dataDir} is in use by process ${pid}. Stop that one, or set MILLRACE_DATA (and PORT, ADMIN_PORT) for a second instance.`,
  );
}

/** Takes a lock file, its folder made when missing. Throws DataInUse with the words for a holder that lives. */
export function takeLock(file: string, inUse: (pid: number) => string): () => void {
  mkdirSync(dirname(file), { recursive: true });
  const mine = `${file}.${process.pid}`;
  const me: Holder = { pid: process.pid, start: startOf(process.pid) };
  writeFileSync(mine, JSON.stringify(me));
  try {
    // The second time after a dead lock was put away; the others when launchers start at the same moment.
    for (let attempt = 0; attempt < attemptsMax; attempt += 1) {
      if (linkIfAbsent(mine, file)) return () => release(file);
      const holder = readHolder(file);
      if (holder && isHeld(holder)) {
        throw new DataInUse(inUse(holder.pid));
      }
      putAway(file, holder, mine);
    }
    throw new DataInUse(`${file} has just been taken by another process. Try again.`);
  } finally {
    rmSync(mine, { force: true });
  }
}

export function lockFileOf(dataDir: string): string {
  return join(dataDir, 'launcher.lock');
}

/** What a lock file says, for those who only look. */
export function readLock(file: string): { readonly state: 'free' | 'held' | 'dead'; readonly pid: number | undefined } {
  const holder = readHolder(file);
  if (!holder) return { state: 'free', pid: undefined };
  return { state: isHeld(holder) ? 'held' : 'dead', pid: holder.pid };
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

/**
 * Removes the lock of a dead holder. Only who holds the claim may, and only while the lock is still that holder's: of
 * six launchers that found a dead lock together, two won in one round of 15 when each just moved it aside.
 */
function putAway(file: string, dead: Holder | undefined, mine: string): void {
  const claim = `${file}.claim`;
  if (!linkIfAbsent(mine, claim)) {
    const claimant = readHolder(claim);
    if (claimant && !isHeld(claimant)) rmSync(claim, { force: true });
    return;
  }
  try {
    const found = readHolder(file);
    if (found?.pid === dead?.pid && found?.start === dead?.start) rmSync(file, { force: true });
  } finally {
    rmSync(claim, { force: true });
  }
}

function readHolder(file: string): Holder | undefined {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as Holder;
  } catch {
    return undefined;
  }
}
