/** Runs one command of the set-up with its output on standard error, so that a long install is not a silent one. */
import { spawn } from 'node:child_process';

/** Resolves with the exit status; 127 when the command is not there. */
export function runVisibly(command, args, options = {}) {
  return new Promise((done) => {
    const child = spawn(command, args, { stdio: ['ignore', 2, 2], ...options });
    child.on('error', () => done(127));
    child.on('exit', (code, signal) => done(signal ? 1 : code));
  });
}

/** Says what the set-up is doing. */
export function say(text) {
  process.stderr.write(`millrace: ${text}\n`);
}
