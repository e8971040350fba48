/**
 * Finds the graphs of an encoder-decoder in its version folder: our export for slots, else the stock exports of Optimum
 * and transformers.js. Preferred in the order in which they decode faster.
 */
import { existsSync, readdirSync } from 'node:fs';
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
  /** For `Pipeline.sessions`: `encoder`, `decoder`; when split, `decoder_with_past`; for pictures and prompts, `vision_encoder` and `embed_tokens`. */
  readonly sessions: Readonly<Record<string, string>>;
}

/** Names without dtype suffix. The first set that is there is taken. */
const layouts: readonly { readonly kind: LayoutKind; readonly graphs: Readonly<Record<string, string>> }[] = [
  { kind: 'slots', graphs: { decoder: 'decoder_slots_model' } },
  { kind: 'merged', graphs: { decoder: 'decoder_model_merged' } },
  { kind: 'split', graphs: { decoder: 'decoder_model', decoder_with_past: 'decoder_with_past_model' } },
  { kind: 'uncached', graphs: { decoder: 'decoder_model' } },
  { kind: 'uncached', graphs: { decoder: 'text_decoder_model' } },
];

/** Of pictures and of prompts that become embeddings before the encoder reads them: both are there, or neither. */
const sights = { vision_encoder: 'vision_encoder', embed_tokens: 'embed_tokens' };

/** Throws with what was expected and what is there when a graph is missing. */
export function findLayout(files: ModelFiles): GraphLayout {
  // BLIP's exports name their halves after the model's.
  const encoder = findGraph(files, 'encoder_model') ?? findGraph(files, 'vision_model');
  if (encoder === null) throw missing(files, 'encoder_model.onnx (or vision_model.onnx) beside a decoder');
  const seen = findGraphs(files, sights);
  const half = Object.values(sights).find((name) => findGraph(files, name) !== null);
  if (half && !seen) throw missing(files, 'both vision_encoder.onnx and embed_tokens.onnx, or neither');
  for (const { kind, graphs } of layouts) {
    const found = findGraphs(files, graphs);
    if (found) return { kind, sessions: { encoder, ...seen, ...found } };
  }
  const decoders = layouts.map(({ graphs }) => Object.values(graphs).join('.onnx with ')).join('.onnx, or ');
  throw missing(files, `a decoder beside the encoder (${decoders}.onnx)`);
}

function missing({ id, versionFolder }: ModelFiles, expected: string): Error {
  const graphs = readdirSync(join(versionFolder, 'onnx')).filter((name) => name.endsWith('.onnx'));
  return new Error(
    `Model ${id}: expected ${expected} in onnx/; found ${graphs.sort().join(', ') || 'no graph'}. Fetch what is missing, or export ` +
      'anew: optimum-cli export onnx --task image-to-text-with-past, or automatic-speech-recognition-with-past.',
  );
}

/** Paths by session; null unless all are there. */
function findGraphs(files: ModelFiles, graphs: Readonly<Record<string, string>>): Record<string, string> | null {
  const found: Record<string, string> = {};
  for (const [session, name] of Object.entries(graphs)) {
    const path = findGraph(files, name);
    if (path === null) return null;
    found[session] = path;
  }
  return found;
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
