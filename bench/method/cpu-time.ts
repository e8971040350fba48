/** CPU seconds that processes and their descendants have used so far, from /proc: what queue work is compared by. */
import { readdirSync, readFileSync } from 'node:fs';

/** Linux' USER_HZ, the same on every common architecture. */
const ticksPerSecond = 100;

interface Stat {
  readonly parent: number;
  readonly seconds: number;
  /** Of `seconds`, what children that have ended used. */
  readonly ended: number;
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

/** Of one process: its event loop, its other threads (collector, preparation), and children of it that have ended. */
export interface ProcessCpu {
  readonly loop: number;
  readonly threads: number;
  readonly ended: number;
}

/** Zeros for a process that has ended. */
export function cpuOfProcess(pid: number): ProcessCpu {
  const whole = readStat(String(pid));
  const loop = readStat(`${pid}/task/${pid}`);
  if (!whole || !loop) return { loop: 0, threads: 0, ended: 0 };
  const own = whole.seconds - whole.ended;
  const loopSeconds = loop.seconds - loop.ended;
  return { loop: loopSeconds, threads: own - loopSeconds, ended: whole.ended };
}

/** `task` is a pid, or `<pid>/task/<tid>`. */
function readStat(task: string): Stat | null {
  try {
    const text = readFileSync(`/proc/${task}/stat`, 'utf8');
    // Fields after the name, which may hold spaces and brackets: state, ppid, ..., utime 11, stime 12, cutime 13, cstime 14.
    const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
    const secondsOf = (...at: number[]) => at.reduce((sum, index) => sum + Number(fields[index]), 0) / ticksPerSecond;
    return { parent: Number(fields[1]), seconds: secondsOf(11, 12, 13, 14), ended: secondsOf(13, 14) };
  } catch {
    return null; // It ended between the listing and the reading.
  }
}
