/** `npm test`: every test file, or those whose path contains one of the given words, with node:test. */
import { globSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { defineCommand } from 'citty';
import type { CliCommand, CliContext } from './command.ts';
import { root, runNode } from './run-tool.ts';

const rooms = ['shared', 'models', 'api', 'workers', 'cli', 'e2e', 'bench'];
/** Two files at a time: most start processes of their own, and the smallest machine we support has two cores. */
const concurrency = 2;
/** For one test, and a hook: the longest takes a minute on two quiet cores. */
const testMsMax = 600_000;
/** And for all that one file holds. */
const fileDeadline = pathToFileURL(join(root, 'shared/testing/file-deadline.ts')).href;

/** Arguments that begin with a dash are node's; the others are parts of paths. */
function findTestFiles(words: readonly string[]): string[] {
  const files = globSync(
    rooms.map((room) => `${room}/**/*.test.ts`),
    { cwd: root, exclude: ['**/node_modules/**'] },
  );
  const isWanted = (file: string) => words.length === 0 || words.some((word) => file.includes(word));
  return files.filter(isWanted).sort();
}

const command: CliCommand = {
  definition: defineCommand({
    meta: { name: 'npm test', description: 'Run all tests, or those whose path contains one of the given words.' },
    async run({ data }) {
      const { env, rawArgs } = data as CliContext;
      const words = rawArgs.filter((arg) => !arg.startsWith('-')).map((word) => word.replace(/^\.\//, ''));
      const files = findTestFiles(words);
      if (files.length === 0) {
        process.stderr.write(
          `No test file has ${words.join(' or ')} in its path. Name a folder or file that has *.test.ts.\n`,
        );
        return 1;
      }
      const options = rawArgs.filter((arg) => arg.startsWith('-'));
      return await runNode(
        [
          '--test',
          `--test-concurrency=${concurrency}`,
          '--test-reporter=spec',
          `--test-timeout=${testMsMax}`,
          `--import=${fileDeadline}`,
          ...options,
          ...files.map((file) => join(root, file)),
        ],
        { ...env, NODE_ENV: 'test' },
      );
    },
  }),
  passesArguments: true,
  examples: ['npm test', 'npm test -- shared/jobs', 'npm test -- launcher --test-name-pattern="Ctrl-C"'],
};

export default command;
