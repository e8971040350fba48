/** The set-up that runs before anything is installed: on the oldest Node that may be there, and with nothing on PATH. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { root } from '../commands/run-tool.ts';

const folder = mkdtempSync(join(tmpdir(), 'millrace-setup-'));
after(() => rmSync(folder, { recursive: true, force: true }));

/** A folder of commands that stands for PATH. */
function pathWith(scripts: Record<string, string>): string {
  const dir = mkdtempSync(join(folder, 'path-'));
  for (const [name, script] of Object.entries(scripts))
    writeFileSync(join(dir, name), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
  return dir;
}

function bootstrap(args: readonly string[], env: Record<string, string>, cwd = root) {
  const result = spawnSync(process.execPath, [join(cwd, 'cli/bootstrap.mjs'), ...args], {
    cwd,
    env,
    encoding: 'utf8',
    timeout: 120_000,
  });
  return { code: result.status, text: result.stdout + result.stderr };
}

test('--help needs no redis-server, and has examples', () => {
  const { code, text } = bootstrap(['demo', '--help'], { PATH: pathWith({}) });
  assert.equal(code, 0, text);
  assert.match(text, /EXAMPLES/);
  assert.match(text, /npm run demo -- --once/);
});

test('an unknown command lists those that there are', () => {
  const { code, text } = bootstrap(['dmeo'], { PATH: pathWith({}) });
  assert.equal(code, 1);
  assert.match(text, /There is no command "dmeo"[\s\S]*npm run demo[\s\S]*npm run start/);
});

test('an option that a command does not have is refused', () => {
  const stub = pathWith({ 'redis-server': 'exit 0', ffmpeg: 'exit 0', ffprobe: 'exit 0' });
  const { code, text } = bootstrap(['demo', '--onec'], { PATH: stub });
  assert.equal(code, 1);
  assert.match(text, /^npm run demo has no "--onec"\. See: npm run demo -- --help$/m);
});

test('words that no test file has in its path are named, without a stack', () => {
  const stub = pathWith({ 'redis-server': 'exit 0', ffmpeg: 'exit 0', ffprobe: 'exit 0', ps: 'exit 0' });
  const { code, text } = bootstrap(['test', 'no/such/place'], { PATH: stub, CI: '1' });
  assert.equal(code, 1);
  assert.match(text, /No test file has no\/such\/place in its path\./);
  assert.doesNotMatch(text, /\n {4}at /);
});

test('without apt the exact command to type is named', () => {
  for (const [tool, command] of [
    ['brew', 'brew install redis ffmpeg'],
    ['apk', 'apk add redis ffmpeg'],
    ['dnf', 'dnf install -y valkey ffmpeg-free'],
    ['pacman', 'pacman -S --needed valkey ffmpeg'],
  ]) {
    const { code, text } = bootstrap(['start'], { PATH: pathWith({ [tool ?? '']: 'exit 1' }) });
    assert.equal(code, 1);
    assert.ok(text.includes(`${command}\n`), text);
  }
});

test('wrong settings refuse to start and list every fault', () => {
  const stub = pathWith({ 'redis-server': 'exit 0', ffmpeg: 'exit 0', ffprobe: 'exit 0' });
  const { code, text } = bootstrap(['start'], { PATH: stub, HOST: '0.0.0.0', LOG_LEVEL: 'loud' });
  assert.equal(code, 78, text);
  assert.match(text, /LOG_LEVEL/);
});

test('npm ci runs when the lock changed, and not when node_modules holds it already', () => {
  const copy = join(folder, 'copy');
  mkdirSync(join(copy, 'node_modules/.bin'), { recursive: true });
  cpSync(join(root, 'cli'), join(copy, 'cli'), { recursive: true });
  symlinkSync(process.execPath, join(copy, 'node_modules/.bin/node'));
  const lock = (version: string) =>
    JSON.stringify({
      packages: { '': {}, 'node_modules/a': { version }, 'node_modules/b': { version: '1.0.0', optional: true } },
    });
  writeFileSync(join(copy, 'node_modules/.package-lock.json'), lock('1.0.0'));
  const npm = pathWith({ npm: 'echo "npm $*"; exit 3' });
  // The copy has no packages, so what comes after the set-up fails; only npm's part is looked at.
  writeFileSync(join(copy, 'package-lock.json'), lock('1.0.0'));
  assert.doesNotMatch(bootstrap(['check'], { PATH: npm }, copy).text, /npm ci/);
  writeFileSync(join(copy, 'package-lock.json'), lock('2.0.0'));
  const { code, text } = bootstrap(['check'], { PATH: npm }, copy);
  assert.equal(code, 1);
  assert.match(text, /npm ci --no-audit[\s\S]*failed with exit code 3/);
});
