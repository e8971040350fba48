/** Programs that some tests need and a machine may lack: where they are, or why a test that needs one is skipped. */
import { accessSync, constants } from 'node:fs';
import { homedir } from 'node:os';
import { delimiter, join, resolve } from 'node:path';

const root = resolve(import.meta.dirname, '../..');

/** On PATH, among the tools built once for all projects, or in the Python packages of the tests. */
export function findTool(name: string): string | undefined {
  const { PATH = '', MILLRACE_TOOLS = join(homedir(), '.cache/millrace-tools') } = process.env;
  const folders = [...PATH.split(delimiter), join(MILLRACE_TOOLS, 'bin'), join(root, '.millrace/test-venv/bin')];
  return folders.map((folder) => join(folder, name)).find(isExecutable);
}

/** For `skip` of a test: false when the tool is there, else what to type. */
export function missing(name: string, command: string): string | false {
  return findTool(name) === undefined && `${name} is not here; get it with: ${command}`;
}

export function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
