/**
 * Holds one redis-server for the launcher. redis-server has no IPC channel and would outlive a launcher that was killed;
 * this process notices the channel close and stops it. Ends when redis-server ends, with its status: the launcher then
 * starts both again.
 */
import { spawn } from 'node:child_process';

const [executable, configFile] = process.argv.slice(2);
/** A server that has not written its AOF by then is stuck; `appendfsync always` means nothing acknowledged is lost. */
const stopDeadlineMs = 10_000;

const redis = spawn(executable, [configFile], { stdio: ['ignore', 'inherit', 'inherit'] });

function stop() {
  redis.kill('SIGTERM');
  setTimeout(() => redis.kill('SIGKILL'), stopDeadlineMs).unref();
}

process.on('SIGTERM', stop);
process.on('SIGINT', () => {});
process.on('disconnect', stop);
// The launcher may have been killed before anybody listened here.
if (!process.connected) stop();
redis.on('error', (error) => {
  process.stderr.write(`redis-guard: ${executable} does not start: ${error.message}\n`);
  process.exit(78);
});
redis.on('exit', (code) => process.exit(code ?? 1));
