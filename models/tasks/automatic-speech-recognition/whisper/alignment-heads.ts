/**
 * Whether a model can tell times of words, and by which heads: `alignment_heads` of its generation config, and a decoder
 * whose graph gives its cross-attentions (the `_timestamped` exports of the Hub).
 */
import { join } from 'node:path';
import { findLayout } from '../../../generation/graph-layout.ts';
import type { ModelFiles } from '../../../repository/model-files.ts';
import { readGraphSignature } from '../../../repository/read-graph.ts';
import type { Json } from '../../../repository/version-files.ts';

export interface AlignmentHeads {
  /** The graph's output of a layer, [rows, heads, tokens, frames], and one head of it. */
  readonly heads: readonly { readonly output: string; readonly head: number }[];
  readonly medianWidth: number;
}

/** Why there are none, and what to do: for callers. */
export interface AlignmentFault {
  readonly fault: string;
}

export function readAlignment(files: ModelFiles, generation: Json, config: Json): AlignmentHeads | AlignmentFault {
  const pairs = (generation['alignment_heads'] ?? []) as readonly (readonly [number, number])[];
  if (!Array.isArray(pairs) || pairs.length === 0)
    return {
      fault: 'its generation_config.json names no alignment_heads. Copy them from the model it was trained from',
    };
  const heads = pairs.map(([layer, head]) => ({ output: `cross_attentions.${layer}`, head }));
  const graph = findLayout(files).sessions['decoder'] ?? '';
  const outputs = new Set(readGraphSignature(join(files.versionFolder, graph)).outputs);
  const missing = heads.find(({ output }) => !outputs.has(output));
  if (!missing) return { heads, medianWidth: Number(config['median_filter_width'] ?? 7) };
  return {
    fault:
      `${graph} does not give its cross-attentions (${missing.output}). Take an export that does, such as ` +
      '`npm run models -- pull onnx-community/whisper-base_timestamped`',
  };
}
