/**
 * A signal to a process that may be gone by now, or end between a look and the signal: that throws ESRCH, which is good
 * news to whoever wants it gone.
 */

/** Whether it was there. 0 only asks. */
export function signalPid(pid: number, signal: NodeJS.Signals | 0): boolean {
  try {
    return process.kill(pid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return false;
    throw error;
  }
}
