/** A stand-in for api/main.ts and its like: speaks the launcher's protocol, and misbehaves when told to. */
import { spawn } from 'node:child_process';
import { appendFileSync } from 'node:fs';
import { createServer } from 'node:http';

const role = process.argv[1].match(/fake-(\w+)\.mjs$/)?.[1] ?? 'fake';
const note = (event) =>
  process.env.FAKE_DIARY && appendFileSync(process.env.FAKE_DIARY, `${event} ${role} ${process.pid}\n`);
const log = (level, msg) =>
  process.stderr.write(`${JSON.stringify({ level, time: new Date().toISOString(), role, msg })}\n`);

const metrics = createServer((_request, response) => {
  const values = [{ value: 1, labels: { role, instance: String(process.pid) } }];
  response.end(JSON.stringify([{ name: 'fake_up', help: 'Up.', type: 'gauge', values, aggregator: 'sum' }]));
});
metrics.listen(0, '127.0.0.1', () => {
  if (!process.connected) return;
  process.send({ type: 'metrics', role, port: metrics.address().port });
  process.send({ type: 'ready', role, ...(role === 'api' ? { urls: { api: 'http://127.0.0.1:1' } } : {}) });
});
// What a worker has, too: a child of its own, which must go with it.
const grandchild = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { stdio: 'ignore' });
note(`start`);
note(`grandchild:${grandchild.pid}`);
log(30, 'ready');
log(40, `warning of ${role}`);

const stop = () => {
  if (process.env.FAKE_STUBBORN === role) return;
  note('stop');
  grandchild.kill();
  setTimeout(() => process.exit(0), 50);
};
// Also when telling a launcher that has just died fails.
process.on('exit', () => grandchild.kill());
process.on('SIGTERM', stop);
process.on('disconnect', stop);
if (!process.connected) stop();
