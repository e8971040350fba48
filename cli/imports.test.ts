/** The import rules themselves: a rule that catches nothing is worse than none. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, test } from 'node:test';
import { root } from './commands/run-tool.ts';

const folders: string[] = [];
after(() => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});

/** Runs the project's rules on a small tree of files and returns what they found. */
function cruise(files: Record<string, string>): { status: number | null; text: string } {
  const folder = mkdtempSync(join(tmpdir(), 'millrace-imports-'));
  folders.push(folder);
  writeFileSync(join(folder, 'package.json'), '{"type":"module","dependencies":{"bullmq":"1.0.0","sharp":"1.0.0"}}');
  for (const name of ['bullmq', 'sharp']) {
    mkdirSync(join(folder, 'node_modules', name), { recursive: true });
    writeFileSync(join(folder, 'node_modules', name, 'package.json'), `{"name":"${name}","main":"index.js"}`);
    writeFileSync(join(folder, 'node_modules', name, 'index.js'), '');
  }
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), text);
  }
  const rooms = [...new Set(Object.keys(files).map((path) => path.split('/')[0] ?? ''))];
  const args = [join(root, 'node_modules/.bin/depcruise'), '--config', join(root, '.dependency-cruiser.cjs'), ...rooms];
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { cwd: folder, encoding: 'utf8' });
  return { status, text: stdout + stderr };
}

test('what belongs together passes, and so does the type of what does not', () => {
  const { status, text } = cruise({
    'shared/queue.ts':
      "import type { Queue } from 'bullmq';\nimport type { A } from './queue-user.ts';\nexport type B = Queue | A;",
    'shared/queue-user.ts': "import type { B } from './queue.ts';\nexport type A = B;",
    'shared/problems/problem.ts': 'export const problem: number = 1;',
    'models/task.ts': "import { problem } from '../shared/problems/problem.ts';\nexport const task = problem;",
    'api/main.ts': "import { task } from '../models/task.ts';\nconsole.log(task);",
  });
  assert.equal(status, 0, text);
});

test('a forbidden import is caught: also of a type, also one that is written as a call', () => {
  const { status, text } = cruise({
    'api/app.ts': "import type { Lane } from '../workers/lane.ts';\nexport type App = Lane;",
    'api/a.ts': "import { b } from './b.ts';\nexport const a = b;",
    'api/b.ts': "import { a } from './a.ts';\nexport const b = a;",
    'api/main.ts': "import type { App } from './app.ts';\nexport type Main = App;",
    'workers/lane.ts': "export type Lane = string;\nexport const api = await import('../api/app.ts');",
    'shared/word.ts': "import { task } from '../models/task.ts';\nexport const word = task;",
    'models/task.ts':
      "import { Queue } from 'bullmq';\nimport sharp from 'sharp';\nexport const task = [Queue, sharp];",
  });
  assert.notEqual(status, 0);
  for (const rule of ['api-never-computes', 'workers-know-no-http-api', 'shared-imports-nobody', 'no-cycles']) {
    assert.match(text, new RegExp(rule), text);
  }
  for (const rule of ['models-know-machine-learning-only', 'door-bullmq', 'door-sharp'])
    assert.match(text, new RegExp(rule), text);
});
