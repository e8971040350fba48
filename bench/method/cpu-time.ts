/** CPU seconds that processes and their descendants have used so far, from /proc: what queue work is compared by. */
import { readdirSync, readFileSync } from 'node:fs';

/** Linux' USER_HZ, the same on every common architecture. */
const ticksPerSecond = 100;

interface Stat {
  readonly parent: number;
  readonly seconds: number;
}

/** Sum over the given pids and everything below them, ended children included. Ended roots count as zero. */
export function cpuSeconds(roots: readonly number[]): number {
  const stats = new Map<number, Stat>();
  for (const name of readdirSync('/proc')) {
    const stat = /^\d+$/.test(name) ? readStat(name) : null;
    if (stat) stats.set(Number(name), stat);
  }
  const wanted = new Set(roots);
  for (let grew = true; grew; ) {
    grew = false;
    for (const [pid, { parent }] of stats) {
      if (wanted.has(parent) && !wanted.has(pid)) {
        wanted.add(pid);
        grew = true;
      }
    }
  }
  return [...wanted].reduce((sum, pid) => sum + (stats.get(pid)?.seconds ?? 0), 0);
}

function readStat(pid: string): Stat | null {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // Fields after the name, which may hold spaces and brackets: state, ppid, ..., utime 11, stime 12, cutime 13, cstime 14.
    const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
    const ticks = [11, 12, 13, 14].reduce((sum, at) => sum + Number(fields[at]), 0);
    return { parent: Number(fields[1]), seconds: ticks / ticksPerSecond };
  } catch {
    return null; // It ended between the listing and the reading.
  }
}
