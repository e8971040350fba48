/**
 * How a sentence-transformers folder says its vectors are made: which pooling, and whether they are scaled to unit
 * length. A bare encoder, which says nothing, gets the mean of its tokens, unscaled.
 */
import type { PoolingMode } from '../../numeric/pooling.ts';
import type { ModelFiles } from '../../repository/model-files.ts';
import { type Json, readJson } from '../../repository/version-files.ts';

export interface PoolingPlan {
  readonly mode: PoolingMode;
  readonly normalize: boolean;
  /** False where the prompt's tokens are read but not pooled (Instructor's kin). */
  readonly includesPrompt: boolean;
}

const modeByKey: Readonly<Record<string, PoolingMode>> = {
  pooling_mode_cls_token: 'cls',
  pooling_mode_mean_tokens: 'mean',
  pooling_mode_max_tokens: 'max',
  pooling_mode_mean_sqrt_len_tokens: 'mean-sqrt-length',
  pooling_mode_lasttoken: 'last',
};
const modeByName: Readonly<Record<string, PoolingMode>> = {
  cls: 'cls',
  mean: 'mean',
  max: 'max',
  lasttoken: 'last',
  mean_sqrt_len_tokens: 'mean-sqrt-length',
};

/** Throws when the folder asks for a module or a pooling that is not done here: a wrong vector would go unseen. */
export async function readPoolingPlan(files: ModelFiles): Promise<PoolingPlan> {
  const modules = ((await readJson(files, 'modules.json')) ?? []) as unknown as readonly Json[];
  const kinds = modules.map((module) => String(module['type']).split('.').at(-1) ?? '');
  const strange = kinds.filter((kind) => !['Transformer', 'Pooling', 'Normalize'].includes(kind));
  if (strange.length > 0) {
    throw new Error(`modules.json asks for ${strange.join(', ')}; here are only Transformer, Pooling and Normalize.`);
  }
  const folder = String(modules[kinds.indexOf('Pooling')]?.['path'] ?? '1_Pooling');
  const pooling = /^[\w.-]+$/.test(folder) ? await readJson(files, `${folder}/config.json`) : null;
  return {
    mode: pooling ? modeOf(pooling) : 'mean',
    normalize: kinds.includes('Normalize'),
    includesPrompt: pooling?.['include_prompt'] !== false,
  };
}

function modeOf(pooling: Json): PoolingMode {
  const named = modeByName[String(pooling['pooling_mode'])];
  const modes = Object.entries(modeByKey).flatMap(([key, mode]) => (pooling[key] === true ? [mode] : []));
  const [mode = named, ...others] = modes;
  if (mode && others.length === 0) return mode;
  throw new Error(`1_Pooling/config.json must name one of ${Object.values(modeByName).join(', ')}.`);
}
