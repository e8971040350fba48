/** Ends a program that a test started. */
import type { ChildProcess } from 'node:child_process';

/** Above every grace period of ours (28 s, the supervisor's), with time for a busy machine. */
const deadlineMs = 90_000;

/**
 * Sends the signal and resolves with the exit code (null after a signal) once the program is gone, at once when it was
 * gone before. Rejects, with the program killed, when it is still there after a minute and a half.
 */
export async function endProcess(child: ChildProcess, signal: NodeJS.Signals = 'SIGKILL'): Promise<number | null> {
  if (child.exitCode !== null || child.signalCode !== null) return child.exitCode;
  return await new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      child.kill('SIGKILL');
      reject(new Error(`${child.spawnargs.join(' ')} did not end within ${deadlineMs / 1000} s of ${signal}.`));
    }, deadlineMs);
    child.once('exit', (code) => {
      clearTimeout(timer);
      resolve(code);
    });
    child.kill(signal);
  });
}
