import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';

/** As `npm test` runs a file, with a deadline of its own. */
function runTestFile(text: string, deadlineMs: number) {
  const dir = mkdtempSync(join(tmpdir(), 'millrace-deadline-'));
  try {
    writeFileSync(join(dir, 'left-open.test.ts'), text);
    const { NODE_TEST_CONTEXT: _, ...env } = process.env;
    const { status, stdout } = spawnSync(
      process.execPath,
      [
        '--test',
        '--test-reporter=spec',
        `--import=${join(import.meta.dirname, 'file-deadline.ts')}`,
        'left-open.test.ts',
      ],
      { cwd: dir, env: { ...env, MILLRACE_TEST_FILE_MS: String(deadlineMs) }, encoding: 'utf8', timeout: 60_000 },
    );
    return { status, stdout };
  } finally {
    rmSync(dir, { recursive: true });
  }
}

test('a file that something keeps open fails at its deadline, and says what kept it', () => {
  const { status, stdout } = runTestFile(`import 'node:test'; setInterval(() => {}, 1000);`, 3000);
  assert.equal(status, 1);
  assert.match(stdout, /left-open\.test\.ts had not ended after 3 s; what kept it: .*Timeout/);
  assert.match(stdout, /fail 1/);
});

test('a file that ends keeps nobody waiting for its deadline', () => {
  const { status, stdout } = runTestFile(`import { test } from 'node:test'; test('is well', () => {});`, 50_000);
  assert.equal(status, 0);
  assert.match(stdout, /pass 1/);
});
