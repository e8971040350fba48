/**
 * Number formats of weights and the file suffix that says so. Apart from the manifest's schema, so that a lane, which
 * only needs a file name, does not load the schema library.
 */

/** File suffix of a graph by dtype, as transformers.js names them. */
export const dtypeSuffixes = {
  fp32: '',
  fp16: '_fp16',
  int8: '_int8',
  uint8: '_uint8',
  q8: '_quantized',
  q4: '_q4',
  q4f16: '_q4f16',
  bnb4: '_bnb4',
} as const;
export type Dtype = keyof typeof dtypeSuffixes;

/** `model_quantized.onnx` -> q8; what has no suffix is fp32. */
export function dtypeOfGraph(path: string): Dtype {
  const stem = path.replace(/\.onnx$/, '');
  const suffixes = Object.entries(dtypeSuffixes) as [Dtype, string][];
  return suffixes.find(([, suffix]) => suffix !== '' && stem.endsWith(suffix))?.[0] ?? 'fp32';
}
