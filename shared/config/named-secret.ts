/** Secrets whose variable an operator names elsewhere, such as the key of an upstream in a manifest. */
import { readFileSync } from 'node:fs';

/** Why there is no secret to use. Says neither its path nor anything of it: callers may see the reason. */
export class SecretFault extends Error {}

/**
 * The variable's value, or what is in the file that `<name>_FILE` names, as for every secret of ours; null when there is
 * neither. Read each time, so that a file that is exchanged counts at the next try. Throws SecretFault if it can not be read.
 */
export function readNamedSecret(
  name: string,
  env: Readonly<Record<string, string | undefined>> = process.env,
): string | null {
  const file = env[`${name}_FILE`];
  const secret = env[name] || (file ? readSecretFile(name, file) : '');
  return secret === '' ? null : secret;
}

function readSecretFile(name: string, file: string): string {
  try {
    return readFileSync(file, 'utf8').trim();
  } catch (error) {
    const { code = 'unreadable' } = error as NodeJS.ErrnoException;
    throw new SecretFault(`${name}_FILE names a file that can not be read (${code})`, { cause: error });
  }
}
