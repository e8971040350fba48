/** A file in place of another: whoever reads, and whatever ends this process, finds the old one or the new one, whole. */
import { randomUUID } from 'node:crypto';
import { mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';

/** `mode` says who may read it, less what the umask takes. */
export async function replaceFile(path: string, text: string, mode = 0o600): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  // Not of the process id: containers that share the directory have the same.
  const draft = join(dirname(path), `.${basename(path)}.${randomUUID()}.draft`);
  try {
    await writeFile(draft, text, { mode, flag: 'wx', flush: true });
    await rename(draft, path);
  } catch (error) {
    await rm(draft, { force: true });
    throw error;
  }
}
