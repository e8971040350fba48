/** Secrets whose variable an operator names elsewhere, such as the key of an upstream in a manifest. */
import { readFileSync } from 'node:fs';

/**
 * The variable's value, or what is in the file that `<name>_FILE` names, as for every secret of ours; null when there is
 * neither. Read each time, so that a file that is exchanged counts at the next try. Throws when the file can not be read.
 */
export function readNamedSecret(
  name: string,
  env: Readonly<Record<string, string | undefined>> = process.env,
): string | null {
  const file = env[`${name}_FILE`];
  const secret = env[name] || (file ? readFileSync(file, 'utf8').trim() : '');
  return secret === '' ? null : secret;
}
