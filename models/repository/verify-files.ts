/**
 * Checks the files of a model version before they are loaded: the sha256 of each that the manifest lists, and what its
 * graphs reach for (`verify-graphs.ts`). Lanes, the doctor and `models verify` ask here, and nowhere else.
 */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { join } from 'node:path';
import { ModelFault } from './manifest.ts';
import type { ModelFiles } from './model-files.ts';
import { verifyGraphs } from './verify-graphs.ts';

/** Throws ModelFault on the first file that is not what the manifest says, or that leads outside. */
export async function verifyFiles(files: ModelFiles, signal?: AbortSignal): Promise<void> {
  for (const [name, expected] of Object.entries(files.sha256)) {
    const actual = await hashListed(files, name, signal);
    if (actual === expected) continue;
    throw new ModelFault(
      `${name} has sha256 ${actual}, the manifest says ${expected}. Fetch the file again, or correct the manifest.`,
    );
  }
  if (!files.upstream) await verifyGraphs(files);
}

async function hashListed(files: ModelFiles, name: string, signal?: AbortSignal): Promise<string> {
  try {
    return await hashFile(join(files.folder, name), signal);
  } catch (error) {
    signal?.throwIfAborted();
    throw new ModelFault(`${name}, listed in the manifest's files, can not be read.`, { cause: error });
  }
}

/** sha256 in hex. */
export async function hashFile(path: string, signal?: AbortSignal): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(path, { highWaterMark: 1 << 20, ...(signal && { signal }) }))
    hash.update(chunk as Buffer);
  return hash.digest('hex');
}
