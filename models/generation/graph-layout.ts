/**
 * Finds the graphs of an encoder-decoder in its version folder: our export for slots, else the stock exports of Optimum
 * and transformers.js. Preferred in the order in which they decode faster.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { type Dtype, dtypeSuffixes } from '../repository/dtypes.ts';
import type { ModelFiles } from '../repository/model-files.ts';

/**
 * `slots`: per-row positions and masks, so that rows come and go at every step. `merged` (one graph, use_cache_branch),
 * `split` (a first and a further graph): rows in lockstep. `uncached`: no graph takes a cache, every step recomputes.
 */
export type LayoutKind = 'slots' | 'merged' | 'split' | 'uncached';

export interface GraphLayout {
  readonly kind: LayoutKind;
  /** For `Pipeline.sessions`: `encoder`, `decoder` and, when split, `decoder_with_past`. */
  readonly sessions: Readonly<Record<string, string>>;
}

/** Names without dtype suffix. The first set that is there is taken. */
const layouts: readonly { readonly kind: LayoutKind; readonly graphs: Readonly<Record<string, string>> }[] = [
  { kind: 'slots', graphs: { decoder: 'decoder_slots_model' } },
  { kind: 'merged', graphs: { decoder: 'decoder_model_merged' } },
  { kind: 'split', graphs: { decoder: 'decoder_model', decoder_with_past: 'decoder_with_past_model' } },
  { kind: 'uncached', graphs: { decoder: 'decoder_model' } },
];

/** Throws with what was expected when a graph is missing. */
export function findLayout(files: ModelFiles): GraphLayout {
  const encoder = findGraph(files, 'encoder_model');
  if (encoder === null) throw new Error(`Model ${files.id}: no onnx/encoder_model.onnx beside its decoder.`);
  for (const { kind, graphs } of layouts) {
    const found = Object.entries(graphs).map(([session, name]) => [session, findGraph(files, name)] as const);
    if (found.every((entry): entry is readonly [string, string] => entry[1] !== null))
      return { kind, sessions: { encoder, ...Object.fromEntries(found) } };
  }
  throw new Error(
    `Model ${files.id}: onnx/ has an encoder but no decoder (decoder_slots_model, decoder_model_merged, decoder_model). ` +
      'Export it anew: optimum-cli export onnx --task image-to-text-with-past, or automatic-speech-recognition-with-past.',
  );
}

/** In the model's dtype; a graph that was not converted to it stays fp32, as transformers.js' repositories often have it. */
function findGraph(files: ModelFiles, name: string): string | null {
  const suffixes = new Set([dtypeSuffixes[files.dtype as Dtype] ?? '', '']);
  for (const suffix of suffixes) {
    const path = `onnx/${name}${suffix}.onnx`;
    if (existsSync(join(files.versionFolder, path))) return path;
  }
  return null;
}
