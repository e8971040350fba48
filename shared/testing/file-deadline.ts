/**
 * Loaded into each process of a test file: one that has not ended after a quarter of an hour ends here, and says what
 * kept it. node:test's own timeout ends a test, not a process that something keeps alive or a hook that hangs: one lost
 * `exit` event once held a whole run for an hour and a half.
 */
import { basename } from 'node:path';

/** The slowest file takes 90 s on two quiet cores. */
const deadlineMs = Number(process.env['MILLRACE_TEST_FILE_MS'] ?? 900_000);

/** node:test tells the processes that it starts, and they tell theirs. */
const isTestFile = process.env['NODE_TEST_CONTEXT'] !== undefined && /\.test\.ts$/.test(process.argv[1] ?? '');

function end(): void {
  const file = basename(process.argv[1] ?? '');
  const kept = [...new Set(process.getActiveResourcesInfo())].join(', ') || 'nothing';
  process.stderr.write(`${file} had not ended after ${deadlineMs / 1000} s; what kept it: ${kept}.\n`);
  process.exit(1);
}

if (isTestFile) setTimeout(end, deadlineMs).unref();
