/**
 * Checks a model's files before they are loaded: sha256 where the manifest gives one, and that no graph reaches
 * outside its folder for weights (ONNX "external data" names a path, which an untrusted export could aim anywhere).
 */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { readdir, realpath } from 'node:fs/promises';
import { dirname, join, relative, sep } from 'node:path';
import { ModelFault } from './manifest.ts';
import type { ModelFiles } from './model-files.ts';

/** Throws ModelFault on the first file that is not what the manifest says, or that leads outside. */
export async function verifyFiles(files: ModelFiles, signal?: AbortSignal): Promise<void> {
  const graphs = await listGraphFiles(files);
  for (const path of graphs) await refuseEscape(files, path);
  for (const [name, expected] of Object.entries(files.sha256)) {
    const actual = await hashFile(join(files.folder, name), name, signal);
    if (actual === expected) continue;
    throw new ModelFault(
      `${name} has sha256 ${actual}, the manifest says ${expected}. Fetch the file again, or correct the manifest.`,
    );
  }
  for (const path of graphs.filter((graph) => graph.endsWith('.onnx'))) await refuseOutsideData(files, path, signal);
}

/** Everything under onnx/ of the version: graphs and their external data. */
async function listGraphFiles(files: ModelFiles): Promise<string[]> {
  const entries = await readdir(join(files.versionFolder, 'onnx'), { recursive: true, withFileTypes: true });
  return entries.filter((entry) => !entry.isDirectory()).map((entry) => join(entry.parentPath, entry.name));
}

/** A link may stay inside the model's folder. `.onnx` files themselves may be links: the Hub's cache keeps blobs so. */
async function refuseEscape(files: ModelFiles, path: string): Promise<void> {
  if (path.endsWith('.onnx')) return;
  const inside = relative(await realpath(files.folder), await realpath(path));
  if (inside !== '..' && !inside.startsWith(`..${sep}`)) return;
  throw new ModelFault(`${relative(files.folder, path)} leads outside the model's folder. Copy the file in.`);
}

/** `location` of external data sits in the graph as a key-value pair: length 8, "location", then tag 0x12 and length. */
const locationKey = Buffer.from('\x0a\x08location\x12', 'latin1');

async function refuseOutsideData(files: ModelFiles, path: string, signal?: AbortSignal): Promise<void> {
  let tail = Buffer.alloc(0);
  for await (const chunk of createReadStream(path, { highWaterMark: 1 << 20, ...(signal && { signal }) })) {
    const bytes = Buffer.concat([tail, chunk as Buffer]);
    for (let at = bytes.indexOf(locationKey); at >= 0; at = bytes.indexOf(locationKey, at + 1)) {
      const length = bytes[at + locationKey.length] ?? 0;
      const start = at + locationKey.length + 1;
      const location = bytes.subarray(start, start + length).toString('utf8');
      const isOutside = location.startsWith('/') || location.split(/[\\/]/).includes('..');
      if (!isOutside) continue;
      const name = relative(files.folder, path);
      throw new ModelFault(`${name} names external data outside its folder ${dirname(name)}. Export it anew.`);
    }
    // A pair may straddle two chunks: 13 bytes of key, 255 of value.
    tail = bytes.subarray(Math.max(0, bytes.length - 512));
  }
}

async function hashFile(path: string, name: string, signal?: AbortSignal): Promise<string> {
  const hash = createHash('sha256');
  try {
    for await (const chunk of createReadStream(path, { highWaterMark: 1 << 20, ...(signal && { signal }) }))
      hash.update(chunk as Buffer);
  } catch (error) {
    signal?.throwIfAborted();
    throw new ModelFault(`${name}, listed in the manifest's files, can not be read.`, { cause: error });
  }
  return hash.digest('hex');
}
