/**
 * What a graph may bring in from elsewhere: weights of its own folder only, and operators that ONNX Runtime has. ONNX
 * "external data" names a path, which an untrusted export could aim anywhere; a custom operator is code of a third party.
 */
import { readdir, realpath, stat } from 'node:fs/promises';
import { dirname, join, relative, sep, win32 } from 'node:path';
import { dtypeOfGraph } from './dtypes.ts';
import { ModelFault, suggestion } from './manifest.ts';
import type { ModelFiles } from './model-files.ts';
import { type GraphReach, readGraphReach } from './read-graph.ts';

/** Operators that ONNX and ONNX Runtime define themselves; "" is the standard's own domain. */
const knownDomains = new Set([
  '',
  'ai.onnx',
  'ai.onnx.ml',
  'ai.onnx.training',
  'ai.onnx.preview',
  'ai.onnx.preview.training',
  'com.microsoft',
  'com.microsoft.experimental',
  'com.microsoft.nchwc',
  'com.ms.internal.nhwc',
]);

/** Throws ModelFault on the first graph that reaches outside its folder, or uses an operator that nobody allowed. */
export async function verifyGraphs(files: ModelFiles): Promise<void> {
  const entries = await readdir(join(files.versionFolder, 'onnx'), { recursive: true, withFileTypes: true });
  const paths = entries.filter((entry) => !entry.isDirectory()).map((entry) => join(entry.parentPath, entry.name));
  for (const path of paths) await refuseEscape(files, path);
  for (const path of paths.filter((name) => name.endsWith('.onnx'))) {
    const reach = readReach(files, path);
    if (!reach) continue;
    for (const location of reach.locations) await checkLocation(files, path, location);
    checkDomains(files, path, reach);
  }
}

/** A link may stay inside the model's folder. `.onnx` files themselves may be links: the Hub's cache keeps blobs so. */
async function refuseEscape(files: ModelFiles, path: string): Promise<void> {
  if (path.endsWith('.onnx')) return;
  const inside = relative(await realpath(files.folder), await realpath(path));
  if (inside !== '..' && !inside.startsWith(`..${sep}`)) return;
  throw new ModelFault(`${relative(files.folder, path)} leads outside the model's folder. Copy the file in.`);
}

/** Null for a file of another dtype that is no graph (a Git LFS pointer, often): nothing will open it. */
function readReach(files: ModelFiles, path: string): GraphReach | null {
  try {
    return readGraphReach(path);
  } catch (error) {
    if (dtypeOfGraph(path) !== files.dtype) return null;
    const name = relative(files.folder, path);
    throw new ModelFault(
      `${name} is not an ONNX file, or it ends early (a Git LFS pointer? a cut download?). Fetch the file again.`,
      { cause: error },
    );
  }
}

async function checkLocation(files: ModelFiles, path: string, location: string): Promise<void> {
  const [name, folder] = [relative(files.folder, path), dirname(path)];
  // Windows calls `/x` absolute, too.
  const isOutside = win32.isAbsolute(location) || location.split(/[\\/]/).includes('..');
  if (isOutside)
    throw new ModelFault(`${name} names external data outside its folder: "${location}". Export the model anew.`);
  if ((await stat(join(folder, location)).catch(() => null)) !== null) return;
  const found = (await readdir(folder)).filter((file) => !file.endsWith('.onnx'));
  throw new ModelFault(
    `${name} keeps its weights in "${location}", which is not beside it${suggestion(location, found) || '.'} Fetch that file too.`,
  );
}

function checkDomains(files: ModelFiles, path: string, { domains }: GraphReach): void {
  for (const [domain, operator] of domains) {
    if (knownDomains.has(domain) || files.customOpDomains.includes(domain)) continue;
    throw new ModelFault(
      `${relative(files.folder, path)} uses the custom operator ${domain}.${operator}, which is code of somebody else. ` +
        `Export it with standard operators, or allow it: \`custom_op_domains: [${domain}]\` in manifest.yaml.`,
    );
  }
}
