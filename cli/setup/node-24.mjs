/**
 * Goes on in the Node 24 that the npm package `node` brought, when npm itself runs on an older one. Node can not replace
 * its process before 22.15, so this one stays as a thin parent: it passes signals down and the exit status up.
 */
import { spawn } from 'node:child_process';
import { constants } from 'node:os';
import { join } from 'node:path';
import { SetupError } from './setup-error.mjs';

const forwarded = ['SIGINT', 'SIGTERM', 'SIGHUP'];

export function continueOnNode24(root, args, env) {
  return new Promise((done, fail) => {
    const node = join(root, 'node_modules/.bin/node');
    const child = spawn(node, [join(root, 'cli/bootstrap.mjs'), ...args], { stdio: 'inherit', env });
    // A terminal's Ctrl-C reaches the child as well, and npm repeats it to us: the child counts those as one.
    for (const signal of forwarded) process.on(signal, () => child.kill(signal));
    const watch = watchParent(env, () => child.kill('SIGTERM'));
    child.on('error', (error) =>
      fail(
        new SetupError(`Node 24 did not start (${node}): ${error.message}. Delete node_modules and run this again.`),
      ),
    );
    child.on('exit', (code, signal) => {
      clearInterval(watch);
      done(signal ? 128 + constants.signals[signal] : code);
    });
  });
}

/** npm killed with SIGKILL tells nobody: a changed parent does. Only under npm; `nohup ... &` may lose its shell. */
function watchParent(env, onGone) {
  if (!env.npm_lifecycle_event) return undefined;
  const parent = process.ppid;
  return setInterval(() => {
    if (process.ppid !== parent) onGone();
  }, 500).unref();
}
