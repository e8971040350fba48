/** Options that the verbs of `models` share, and the one way to print JSON. */
import { dtypeSuffixes } from '../../../models/repository/dtypes.ts';

export const jsonOption = {
  json: { type: 'boolean', default: false, description: 'JSON instead of lines.' },
} as const;

export const modelArgument = {
  model: { type: 'positional', required: true, description: 'Id of a model, or id@version.' },
} as const;

/** Of what gets a model into the repository. */
export const installOptions = {
  as: { type: 'string', description: "Id to serve it under; the source's last part when absent." },
  dtype: { type: 'enum', options: Object.keys(dtypeSuffixes), description: 'Which weights; fp32 first when absent.' },
  task: { type: 'string', description: 'Task to serve, where the files do not say.' },
} as const;

/** Of what waits for the running system. */
export const waitOption = {
  wait: { type: 'boolean', default: true, description: 'Wait until it is done; --no-wait only asks for it.' },
} as const;

export function writeJson(value: unknown, code = 0): number {
  process.stdout.write(`${JSON.stringify(value)}\n`);
  return code;
}
