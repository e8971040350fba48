/**
 * The token of the admin port: ADMIN_TOKEN, or one made on the first start and kept in the data folder, so that what a
 * browser or a script was given stays good. Whoever serves or prints it reads the same file.
 */
import { randomBytes } from 'node:crypto';
import { chmodSync, linkSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

export interface AdminToken {
  readonly token: string;
  /** Nobody chose it: where it is kept. */
  readonly file: string | undefined;
}

const lengthMin = 16;

export function resolveAdminToken(settings: {
  readonly adminToken: string | undefined;
  readonly dataDir: string;
}): AdminToken {
  if (settings.adminToken !== undefined) return { token: settings.adminToken, file: undefined };
  const file = join(settings.dataDir, 'admin-token');
  return { token: readToken(file) ?? makeToken(file), file };
}

function readToken(file: string): string | undefined {
  try {
    const token = readFileSync(file, 'utf8').trim();
    chmodSync(file, 0o600);
    if (token.length >= lengthMin) return token;
    rmSync(file, { force: true }); // Cut short, or emptied to get a new one.
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
  return undefined;
}

/** Of two processes that start together the first one's token counts: a link is made whole, and once. */
function makeToken(file: string): string {
  const token = randomBytes(24).toString('base64url');
  mkdirSync(join(file, '..'), { recursive: true });
  const draft = `${file}.${process.pid}`;
  writeFileSync(draft, `${token}\n`, { mode: 0o600 });
  try {
    linkSync(draft, file);
    return token;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    return readFileSync(file, 'utf8').trim();
  } finally {
    rmSync(draft, { force: true });
  }
}
