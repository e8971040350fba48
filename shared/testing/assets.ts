/** Real test material beside the repository. Absent on most machines: what needs it skips, saying so. */
import { existsSync } from 'node:fs';
import { resolve } from 'node:path';

export function assetsFolder(): string {
  return resolve(process.env['MILLRACE_ASSETS'] ?? resolve(import.meta.dirname, '../../../shared/assets'));
}

/** For node:test's `skip`: the reason when the assets (or one path among them) are absent, else false. */
export function skipWithoutAssets(path = '.'): string | false {
  const wanted = resolve(assetsFolder(), path);
  return existsSync(wanted) ? false : `${wanted} is absent; set MILLRACE_ASSETS`;
}
