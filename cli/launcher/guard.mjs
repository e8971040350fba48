/**
 * Outlives a launcher that was killed with SIGKILL just long enough to end what it left: gives the launcher's other
 * processes a moment to end by themselves, then ends their process groups (one may hang, or have died to the news while
 * it was still loading), and last stops the embedded redis-server, which has no IPC channel to notice anything.
 *
 * Arguments: nothing, or the redis-server to run and its configuration. Ends when that server ends, with its status: the
 * launcher then starts both again.
 */
import { spawn } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';

const [executable, configFile] = process.argv.slice(2);
/** A server that has not written its AOF by then is stuck; `appendfsync always` means nothing acknowledged is lost. */
const redisDeadlineMs = 10_000;
/** Work that is cut off here runs again after the next start: at least once to run, exactly once to see. */
const othersDeadlineMs = 5000;

/** Process groups that the launcher has started, this one's own left out. */
let groups = [];
const redis = executable ? spawn(executable, [configFile], { stdio: ['ignore', 'inherit', 'inherit'] }) : undefined;
// Without a server there is nothing to wait for but the launcher: this keeps the process alive.
const idle = setInterval(() => {}, 60_000);

let isStopping = false;

function stop() {
  isStopping = true;
  clearInterval(idle);
  if (!redis || redis.exitCode !== null || redis.signalCode !== null) process.exit(0);
  redis.kill('SIGTERM');
  setTimeout(() => redis.kill('SIGKILL'), redisDeadlineMs).unref();
}

let isAlone = false;

async function endOrphans() {
  isAlone = true;
  for (let waitedMs = 0; waitedMs < othersDeadlineMs && groups.some(isThere); waitedMs += 50) await sleep(50);
  for (const group of groups.filter(isThere)) signalGroup(group, 'SIGKILL');
  stop();
}

function isThere(group) {
  return signalGroup(group, 0);
}

function signalGroup(group, signal) {
  try {
    return process.kill(-group, signal);
  } catch {
    return false;
  }
}

process.on('message', (message) => {
  groups = message.groups;
});
process.on('SIGTERM', stop);
process.on('SIGINT', () => {});
process.on('disconnect', endOrphans);
// The launcher may have been killed before anybody listened here.
if (!process.connected) endOrphans();
redis?.on('error', (error) => {
  process.stderr.write(`guard: ${executable} does not start: ${error.message}\n`);
  process.exit(78);
});
redis?.on('exit', (code) => {
  if (!isAlone) process.exit(code ?? 1);
  // Alone, the others still have to be ended: `endOrphans` is at it, and exits.
  else if (isStopping) process.exit(0);
});
