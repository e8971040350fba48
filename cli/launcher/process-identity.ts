/** Tells whether a process id still names the process that it named when it was written down: ids are reused. */
import { execFileSync } from 'node:child_process';
import { readFileSync, readlinkSync } from 'node:fs';

export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/** When the process started, in whatever unit the system gives: equal only for the same process. Undefined when gone. */
export function startOf(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The name in brackets may hold spaces; state is the first field after it, start time the 20th.
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19];
  } catch {
    return isAlive(pid) ? ps(pid, 'lstart') : undefined;
  }
}

/** The program and working directory of a process, as far as the system tells. */
export function describeProcess(pid: number): { readonly program: string; readonly folder: string | undefined } {
  try {
    return { program: readlinkSync(`/proc/${pid}/exe`), folder: readlinkSync(`/proc/${pid}/cwd`) };
  } catch {
    return { program: ps(pid, 'comm') ?? '', folder: undefined };
  }
}

function ps(pid: number, column: string): string | undefined {
  try {
    return (
      execFileSync('ps', ['-o', `${column}=`, '-p', String(pid)], { encoding: 'utf8', timeout: 2000 }).trim() ||
      undefined
    );
  } catch {
    return undefined;
  }
}
