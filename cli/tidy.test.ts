/** House rules that no linter knows, over every source file of the repository. */
import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { test } from 'node:test';
import { root } from './commands/run-tool.ts';

const rooms = '{shared,models,api,workers,cli,bench,e2e}';
const files = globSync([`${rooms}/**/*.ts`, `${rooms}/**/*.mjs`], {
  cwd: root,
  exclude: ['**/node_modules/**'],
}).sort();
const read = (file: string) => readFileSync(join(root, file), 'utf8');
const isTest = (file: string) => file.endsWith('.test.ts') || /(^|\/)(testing|parity|e2e)\//.test(file);
/** They read no setting from it: they hand it to a child process, with an addition. */
const passesEnvironmentOn = new Set(['workers/lane/lane.ts', 'bench/method/helper-process.ts']);

/** Programs that Millrace is raced against: told by the environment, those in Python and those in Node alike. */
const peers = 'bench/peers/servers/';

/** Written apart, so that this file does not find itself. */
const environmentName = ['process', 'env'].join('.');
const reminder = new RegExp(`\\b(${['TO', 'DO'].join('')}|${['FIX', 'ME'].join('')}|${['X', 'XX'].join('')})\\b`);

test('the environment is read in shared/config and cli/bootstrap.mjs only', () => {
  const readers = files.filter((file) => !isTest(file) && codeOf(read(file)).includes(environmentName));
  const isAllowed = (file: string) =>
    /^(shared\/config\/|cli\/bootstrap\.mjs$|cli\/setup\/.*\.mjs$)/.test(file) ||
    passesEnvironmentOn.has(file) ||
    file.startsWith(peers);
  const strangers = readers.filter((file) => !isAllowed(file));
  assert.deepEqual(strangers, [], 'take it as an argument, or add a setting to shared/config/settings.ts');
});

test('no file is longer than 300 lines, no test longer than 400', () => {
  const long = files.map((file) => ({ file, lines: read(file).split('\n').length - 1 }));
  const tooLong = long.filter(({ file, lines }) => lines > (isTest(file) ? 400 : 300));
  assert.deepEqual(tooLong, [], 'a long file holds two things');
});

test('no file is called utils, helpers, common, misc or types', () => {
  const bad = files.filter(
    (file) =>
      /^(utils?|helpers?|common|misc|types)\./.test(basename(file)) || /\/(utils?|helpers?|common|misc)\//.test(file),
  );
  assert.deepEqual(bad, [], 'name a file after what it owns');
});

test('every file opens by saying what it is', () => {
  const mute = files.filter((file) => !isTest(file) && !/^(#!.*\n)?\/\*\*/.test(read(file)));
  assert.deepEqual(mute, []);
});

test('what serves names no task: a task is its folder, and a bare Hub folder is told by its files', () => {
  const tasks = globSync('*/', { cwd: join(root, 'models/tasks') }).map((name) => name.replace('/', ''));
  assert.ok(tasks.length > 3, `${tasks}`);
  const serving = /^(shared|api|workers|models\/(?!tasks\/|repository\/infer-task\.ts))/;
  const named = files.filter((file) => serving.test(file) && !isTest(file) && isOneNamed(codeOf(read(file)), tasks));
  assert.deepEqual(named, [], 'put it into the contract of the task');
});

test('nothing is left as a reminder to do it later', () => {
  assert.deepEqual(
    files.filter((file) => reminder.test(read(file))),
    [],
  );
});

/** The text without comments, roughly: what a comment says about the environment reads nothing. */
function codeOf(text: string): string {
  return text.replaceAll(/\/\*[\s\S]*?\*\//g, '').replaceAll(/(^|\s)\/\/.*$/gm, '');
}

function isOneNamed(text: string, names: readonly string[]): boolean {
  return names.some((name) => text.includes(`'${name}'`));
}
