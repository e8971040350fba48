/**
 * Where tests find real models and media, which are not part of the repository. Test code only.
 */
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';

export const assetsFolder = resolve(
  process.env['MILLRACE_ASSETS'] ?? join(import.meta.dirname, '..', '..', '..', 'shared', 'assets'),
);

/** For `{skip}` of a test: false, or why it is skipped. */
export function skipWithoutAssets(): string | false {
  return existsSync(assetsFolder) ? false : `no test material at ${assetsFolder}; set MILLRACE_ASSETS`;
}
