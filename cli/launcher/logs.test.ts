/** Log lines: how they are read, shown, kept and bounded. */
import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { after, test } from 'node:test';
import { exitConfig } from '../../shared/processes/process-life.ts';
import { createPaint } from '../terminal/paint.ts';
import { LogBook, type LogBookWish, type LogView } from './log-book.ts';
import { readLogLine } from './log-entry.ts';
import { ManagedProcess } from './managed-process.ts';
import { RotatingFile } from './rotating-file.ts';
import { splitLines } from './split-lines.ts';

const folder = mkdtempSync(join(tmpdir(), 'millrace-logs-'));
after(() => rmSync(folder, { recursive: true, force: true }));

function book(view: LogView, level: LogBookWish['level'] = 'info') {
  const shown: string[] = [];
  const paint = createPaint(false, {});
  return { shown, logs: new LogBook({ folder, view, level, paint, show: (text) => shown.push(text) }) };
}

test('a JSON line is shown as time, role, message and fields; an error with its reason', () => {
  const { shown, logs } = book('readable');
  const time = new Date().toISOString();
  logs.line('api', JSON.stringify({ level: 30, time, role: 'api', pid: 1, msg: 'listening', port: 8080 }));
  logs.line('api', JSON.stringify({ level: 40, time, role: 'api', msg: 'slow', err: { message: 'no answer' } }));
  assert.match(shown[0] ?? '', /^\d\d:\d\d:\d\d api {6} listening port=8080\n$/);
  assert.match(shown[1] ?? '', / slow: no answer\n$/);
});

test('in a demo only warnings and errors are shown, and everything is kept', () => {
  const { shown, logs } = book('warnings');
  logs.line('worker-a', JSON.stringify({ level: 30, time: '', role: 'worker', msg: 'loaded' }));
  logs.line('worker-a', JSON.stringify({ level: 40, time: '', role: 'worker', msg: 'slow' }));
  logs.close();
  assert.equal(shown.length, 1);
  assert.equal(readFileSync(join(folder, 'worker-a.log'), 'utf8').trim().split('\n').length, 2);
});

test('elsewhere than on a terminal every line is JSON, also one that was not', () => {
  const { shown, logs } = book('json');
  logs.line('api', 'Segmentation fault');
  assert.equal((JSON.parse(shown[0] ?? '') as { msg: string }).msg, 'Segmentation fault');
});

test("redis-server's everyday lines are shown from LOG_LEVEL=debug on", () => {
  const line = '77:M 21 Nov 2026 07:24:46.123 * Background AOF rewrite finished successfully';
  const counts = (['json', 'readable'] as const).flatMap((view) =>
    (['debug', 'info'] as const).map((level) => {
      const { shown, logs } = book(view, level);
      logs.line('redis', line);
      return shown.length;
    }),
  );
  assert.deepEqual(counts, [1, 0, 1, 0]);
});

test("redis-server's lines keep their weight, but for what is no news", () => {
  const level = (text: string) => readLogLine('redis', `77:M 21 Nov 2026 07:24:46.123 ${text}`).level;
  assert.equal(level('* Ready to accept connections'), 20);
  assert.equal(level('# Configuration loaded'), 20);
  assert.equal(level('# WARNING Memory overcommit must be enabled! ... overcommit_memory = 1'), 20);
  assert.equal(level('# Error writing to the AOF file: No space left on device'), 40);
});

test('a process that can not run with its settings is quoted without its everyday lines', async () => {
  const script = `console.log(JSON.stringify({ level: 30, msg: 'listens' }));
    console.error('Redis can lose jobs:'); console.error(JSON.stringify({ level: 50, msg: 'appendonly is "no"' }));
    console.log(JSON.stringify({ level: 30, msg: 'stopping' })); process.exitCode = ${exitConfig}`;
  const words = await new Promise<string>((said) => {
    const ignore = () => {};
    const events = { onStart: ignore, onLine: ignore, onMessage: ignore, onDeath: ignore };
    const child = { role: 'api', command: process.execPath, args: ['-e', script], stopDeadlineMs: 1000 };
    new ManagedProcess(child, { ...events, onHopeless: (_role, lastWords) => said(lastWords) }).start();
  });
  assert.equal(words, 'Redis can lose jobs:\nappendonly is "no"');
});

test('a log file never grows past its bound, and the oldest goes', () => {
  const file = new RotatingFile(folder, 'small', 1000);
  for (let i = 0; i < 100; i += 1) file.write(`${i}`.padStart(99, '.'));
  file.close();
  const names = readdirSync(folder).filter((name) => name.startsWith('small'));
  assert.deepEqual(names.sort(), ['small.1.log', 'small.2.log', 'small.log']);
  for (const name of names) assert.ok(statSync(join(folder, name)).size <= 1000);
  assert.match(readFileSync(join(folder, 'small.log'), 'utf8'), /\.99\n$/);
});

test('a log that can not be written throws nothing', () => {
  new RotatingFile(folder, 'no/such/folder').write('x');
});

test('lines are cut at line ends across chunks, and an endless line is bounded', async () => {
  const stream = new PassThrough();
  const lines: string[] = [];
  splitLines(stream, (line) => lines.push(line));
  stream.write('a\nb');
  stream.write('c\r\n\n');
  stream.end(`${'x'.repeat(200_000)}\nlast`);
  await new Promise((done) => stream.on('end', done));
  assert.deepEqual(lines.slice(0, 2), ['a', 'bc']);
  assert.equal(lines.at(-1), 'last');
  assert.ok(Math.max(...lines.map((line) => line.length)) < 70_000);
});
