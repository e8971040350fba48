/**
 * Models that the demo shows besides those of models/zoo: real ones that lie in ../shared/assets (or MILLRACE_ASSETS)
 * beside the repository, dropped in as a user would drop them. Where that folder is absent, nothing is added.
 */
import { existsSync, mkdirSync, rmSync, symlinkSync } from 'node:fs';
import { basename, delimiter, join, resolve } from 'node:path';
import { readSettings } from '../../shared/config/settings.ts';
import type { Environment } from '../launcher/system.ts';

const folders = ['models/all-MiniLM-L6-v2', 'models/imagenet/mobilenet_v2_1.0_224'];

/** Where test material lies, if anywhere. */
export function assetsFolder(env: Environment): string | undefined {
  const folder = env['MILLRACE_ASSETS'] || resolve(import.meta.dirname, '../../../shared/assets');
  return existsSync(folder) ? folder : undefined;
}

/** The environment with a folder of links to those models in MODELS_DIR, behind the user's own, unless the caller named one. */
export function addDemoModels(env: Environment): Environment {
  const assets = assetsFolder(env);
  if (env['MODELS_DIR'] || !assets) return env;
  const { dataDir, modelHome } = readSettings(env);
  const folder = join(dataDir, 'demo-models');
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  for (const model of folders.map((path) => join(assets, path)).filter((path) => existsSync(path))) {
    symlinkSync(model, join(folder, basename(model)));
  }
  return { ...env, MODELS_DIR: [modelHome, folder].join(delimiter) };
}
