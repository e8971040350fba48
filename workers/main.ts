/**
 * Entry of the supervisor: one worker process per device, started again when it ends. Does nothing else, so that nothing
 * can take it down with a worker. Passes on what workers tell, so that a launcher sees them through it. It serves no
 * metrics of its own: METRICS_PORT is its first worker's, the ports after it are the others'.
 */
import { type ChildProcess, fork } from 'node:child_process';
import { join } from 'node:path';
import { boot } from '../shared/processes/boot.ts';
import { exitConfig, type ProcessMessage } from '../shared/processes/process-life.ts';

const entry = join(import.meta.dirname, 'inference-main.ts');
const backoffMsMax = 5000;
/** A worker that lived this long was well: its next death starts the back-off anew. */
const healthyMs = 10_000;

// Above the workers' own deadline, so that each drains by its own clock.
const { settings, logger, life } = boot('supervisor', 28_000);
const children = new Map<string, ChildProcess>();

function metricsPortOf(device: string): number {
  const { devices, metricsPort } = settings;
  return metricsPort === 0 ? 0 : metricsPort + devices.indexOf(device);
}

function startWorker(device: string, failures: number): void {
  if (life.signal.aborted) return;
  const startedAt = performance.now();
  const child = fork(entry, [device, String(metricsPortOf(device))], { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] });
  children.set(device, child);
  child.on('message', (message: ProcessMessage) => life.tell(message));
  child.on('exit', (code, signal) => {
    children.delete(device);
    if (life.signal.aborted) return;
    if (code === exitConfig) void life.stop('worker settings', exitConfig);
    const again = performance.now() - startedAt > healthyMs ? 0 : failures + 1;
    const pauseMs = again === 0 ? 0 : Math.min(backoffMsMax, 100 * 2 ** (again - 1));
    // It may end on purpose: for another layout of its lanes.
    logger[code === 0 ? 'info' : 'error']({ device, code, signal, pauseMs }, 'worker ended; starting another');
    setTimeout(() => startWorker(device, again), pauseMs);
  });
}

async function stopWorker(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  await new Promise<void>((resolve) => {
    child.once('exit', () => resolve());
    child.kill('SIGTERM');
  });
}

life.add('workers', async () => {
  await Promise.all([...children.values()].map(stopWorker));
});
for (const device of settings.devices) startWorker(device, 0);
