/**
 * Deletes from node_modules what an image of this platform can not use: onnxruntime's libraries for other systems (one
 * npm tarball holds all) and its build for browsers. Argument 1: the folder that holds node_modules.
 */
import { existsSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';

const packages = join(process.argv[2] ?? '.', 'node_modules');
const binaries = join(packages, 'onnxruntime-node/bin');

for (const api of readdirSync(binaries)) {
  for (const system of readdirSync(join(binaries, api))) {
    if (system !== process.platform) remove(join(binaries, api, system));
  }
  const ours = join(binaries, api, process.platform);
  for (const cpu of readdirSync(ours)) if (cpu !== process.arch) remove(join(ours, cpu));
  if (!existsSync(join(ours, process.arch))) throw new Error(`onnxruntime has no library for ${process.arch}.`);
}
// Only its folder of builds: the package itself stays, so that npm finds nothing missing.
remove(join(packages, 'onnxruntime-web/dist'));

function remove(folder) {
  rmSync(folder, { recursive: true, force: true });
  process.stdout.write(`pruned ${folder}\n`);
}
