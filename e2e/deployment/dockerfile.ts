/** deploy/Dockerfile as data: its stages, and which files of the repository an image of it holds. */
import { cpSync, globSync, mkdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { root } from './compose-file.ts';

export interface Stage {
  readonly name: string;
  readonly from: string;
  readonly instructions: readonly { readonly word: string; readonly rest: string }[];
}

export function readDockerfile(): Stage[] {
  const text = readFileSync(join(root, 'deploy/Dockerfile'), 'utf8')
    .replaceAll(/^#.*\n/gm, '')
    .replaceAll('\\\n', ' ');
  const stages: { name: string; from: string; instructions: { word: string; rest: string }[] }[] = [];
  for (const line of text.split('\n').filter((one) => one.trim() !== '')) {
    const [, word = '', rest = ''] = /^(\w+)\s+(.*)$/.exec(line) ?? [];
    const [, from = '', name = ''] = word === 'FROM' ? (/^(\S+) AS (\S+)$/.exec(rest) ?? []) : [];
    if (word === 'FROM') stages.push({ name, from, instructions: [] });
    else stages.at(-1)?.instructions.push({ word, rest });
  }
  return stages;
}

/** Copies into `folder` what the stage `program` copies, less what .dockerignore keeps out of the context. */
export function layOutProgram(folder: string): void {
  const program = readDockerfile().find(({ name }) => name === 'program');
  const ignored = ignoredFiles();
  for (const { word, rest } of program?.instructions ?? []) {
    if (word !== 'COPY') continue;
    const words = rest.split(/\s+/);
    const target = words.pop() ?? '';
    for (const source of words) {
      const to = join(folder, target.endsWith('/') ? join(target, source) : target);
      mkdirSync(dirname(to), { recursive: true });
      cpSync(join(root, source), to, { recursive: true, filter: (from) => !ignored.has(from.slice(root.length + 1)) });
    }
  }
}

/** The lines of .dockerignore behind its list of what is let in. */
function ignoredFiles(): ReadonlySet<string> {
  const lines = readFileSync(join(root, '.dockerignore'), 'utf8').split('\n');
  const patterns = lines.filter((line) => line !== '' && line !== '*' && !/^[#!]/.test(line));
  return new Set(globSync(patterns, { cwd: root, exclude: ['node_modules/**'] }));
}
