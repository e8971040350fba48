/**
 * Which graphs a version folder holds and in which dtypes, and what to type where the layout is not the Hub's. Judges
 * names only: `verify-files.ts` opens the files.
 */
import { readdir } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { type Dtype, dtypeOfGraph, dtypeSuffixes } from './dtypes.ts';
import { listNames, ModelFault } from './manifest.ts';
import { nearestMatch } from './nearest-match.ts';
import { shellWord } from './shell-word.ts';

/** Sets of graphs that a pipeline can open, without the suffix of the dtype. One whole set must be there. */
const graphSets: readonly (readonly string[])[] = [
  ['model'],
  ['vision_encoder', 'embed_tokens', 'encoder_model', 'decoder_model_merged'],
  ['encoder_model', 'decoder_slots_model'],
  ['encoder_model', 'decoder_model_merged'],
  ['encoder_model', 'decoder_model', 'decoder_with_past_model'],
  ['encoder_model', 'decoder_model'],
  ['vision_model', 'text_decoder_model'],
];
const torchWeights = /^(pytorch_model.*\.bin|.*\.safetensors|tf_model\.h5|flax_model\.msgpack)$/;

/** The manifest's dtype, which must be there; else fp32 when present, else the first in the table's order that is. */
export async function pickDtype(versionFolder: string, wished: Dtype | undefined): Promise<Dtype> {
  const onnx = join(versionFolder, 'onnx');
  const files = await readdir(onnx).catch(() => null);
  if (files === null) throw noOnnxFolder(versionFolder, await readdir(versionFolder));
  const found = dtypesIn(files);
  const [first] = found;
  if (first === undefined) throw noGraph(onnx, files);
  if (wished === undefined || found.includes(wished)) return wished ?? first;
  throw wrongDtype(versionFolder, wished, found, files);
}

/** Dtypes in which a whole set of graphs is there, in the table's order. */
export function dtypesIn(files: readonly string[]): Dtype[] {
  const names = new Set(files);
  return (Object.keys(dtypeSuffixes) as Dtype[]).filter((dtype) =>
    graphSets.some((set) => set.every((stem) => names.has(`${stem}${dtypeSuffixes[dtype]}.onnx`))),
  );
}

/** Names without suffix that belong to a set; the first whole set in this dtype, or nothing. */
export function graphSetIn(files: readonly string[], dtype: Dtype): readonly string[] {
  const names = new Set(files);
  const set = graphSets.find((stems) => stems.every((stem) => names.has(`${stem}${dtypeSuffixes[dtype]}.onnx`)));
  return (set ?? []).map((stem) => `${stem}${dtypeSuffixes[dtype]}.onnx`);
}

function noOnnxFolder(folder: string, names: readonly string[]): ModelFault {
  const loose = names.filter((name) => name.endsWith('.onnx'));
  const at = shellWord(folder);
  if (loose.length > 0) {
    return new ModelFault(
      `No onnx/ folder beside config.json; ${listNames(loose)} lies beside it instead. Move it into onnx/.`,
      { fix: `mkdir -p ${at}/onnx && mv ${at}/*.onnx* ${at}/onnx/` },
    );
  }
  const torch = names.filter((name) => torchWeights.test(name));
  if (torch.length > 0) {
    return new ModelFault(
      `No onnx/ folder beside config.json; ${listNames(torch)} holds weights for PyTorch. Export them to ONNX.`,
      { fix: `optimum-cli export onnx --model ${at} ${at}/onnx && mv ${at}/onnx/*.json ${at}/` },
    );
  }
  return new ModelFault(
    `No onnx/ folder beside config.json; found ${listNames(names)}. Fetch the ONNX files from where the model came from.`,
    { fix: 'npm run models -- pull <hub id>' },
  );
}

function noGraph(onnx: string, files: readonly string[]): ModelFault {
  const graphs = files.filter((file) => file.endsWith('.onnx'));
  const expected = 'onnx/ holds no graph that is called model.onnx, model_quantized.onnx, ...';
  const [graph] = graphs;
  const halves = graphSets.slice(1).find((set) => graphs.includes(`${set[0]}.onnx`));
  if (halves) {
    const lacking = halves.map((stem) => `${stem}.onnx`).filter((name) => !graphs.includes(name));
    return new ModelFault(`onnx/ has ${listNames(graphs)}, but not ${lacking.join(', ')}. Fetch that file too.`);
  }
  if (graph === undefined) return new ModelFault(`${expected}; found ${listNames(files)}. Put the graph there.`);
  const known = Object.values(dtypeSuffixes).map((suffix) => `model${suffix}.onnx`);
  const target = nearestMatch(graph, known) ?? 'model.onnx';
  return new ModelFault(`${expected}; found ${listNames(files)}. If ${graph} is the graph, rename it to ${target}.`, {
    fix: `mv ${shellWord(join(onnx, graph))} ${shellWord(join(onnx, target))}`,
  });
}

function wrongDtype(folder: string, wished: Dtype, found: readonly Dtype[], files: readonly string[]): ModelFault {
  const [nearest] = found as [Dtype];
  const graphs = files.filter((file) => file.endsWith('.onnx') && found.includes(dtypeOfGraph(file)));
  const wanted = graphSetIn(graphs, nearest).map((name) =>
    name.replace(`${dtypeSuffixes[nearest]}.onnx`, `${dtypeSuffixes[wished]}.onnx`),
  );
  const manifest = /^[1-9]\d*$/.test(basename(folder))
    ? join(folder, '..', 'manifest.yaml')
    : join(folder, 'manifest.yaml');
  return new ModelFault(
    `dtype ${wished} needs onnx/${wanted.join(', onnx/')}; onnx/ has ${listNames(graphs)}, which is ${found.join(', ')}. ` +
      `Set \`dtype: ${nearest}\` in manifest.yaml, or add the file.`,
    { fix: `sed -i 's/^dtype: .*/dtype: ${nearest}/' ${shellWord(manifest)}` },
  );
}
