/**
 * Which files of a listing a model needs: configuration, tokeniser, card, and the graphs of one dtype with their external
 * data. No weights for other frameworks, no other dtypes. Pure: a Hub listing, an MLflow artifact and a folder look alike.
 */
import type { Dtype } from '../../models/repository/dtypes.ts';
import { dtypesIn, graphSetIn } from '../../models/repository/find-graphs.ts';
import { listNames, ModelFault } from '../../models/repository/manifest.ts';

export interface ListedFile {
  /** Relative, with `/`. */
  readonly path: string;
  readonly bytes: number;
}

export interface ChosenFile<F extends ListedFile> {
  readonly file: F;
  /** Where it belongs in a version folder. */
  readonly place: string;
}

export interface ChosenFiles<F extends ListedFile> {
  readonly dtype: Dtype;
  readonly files: readonly ChosenFile<F>[];
}

/** tokenizer.json of 250,000 words has 33 MB; what is larger is data. */
const smallBytesMax = 64 * 2 ** 20;
const smallFiles =
  /^(?!.*\.index\.json$)([^/]+\.json|[0-9]+_[A-Za-z]+\/config\.json|README\.md|LICEN[CS]E[^/]*|NOTICE[^/]*)$/;
const torchWeights =
  /(^|\/)(pytorch_model[^/]*\.bin|[^/]+\.(safetensors|pt|pth|gguf)|tf_model\.h5|flax_model\.msgpack)$/;

/** @param source how the model is named in messages. Throws ModelFault with what is there instead. */
export function chooseFiles<F extends ListedFile>(
  source: string,
  listing: readonly F[],
  wished: Dtype | undefined,
): ChosenFiles<F> {
  const files = listing.filter(({ path }) => isInside(path));
  if (!files.some(({ path }) => path === 'config.json')) throw noConfig(source, files);
  // Older exports put their graphs beside config.json.
  const folder = files.some(({ path }) => isGraph(path, 'onnx/')) ? 'onnx/' : '';
  const graphs = files.filter(({ path }) => isGraph(path, folder)).map(({ path }) => path.slice(folder.length));
  const found = dtypesIn(graphs);
  const dtype = wished ?? found[0];
  if (dtype === undefined) throw noGraph(source, files, graphs);
  if (!found.includes(dtype)) throw wrongDtype(source, dtype, found, graphs);
  const set = graphSetIn(graphs, dtype);
  const isNeeded = (name: string) => set.includes(name) || set.some((graph) => isDataOf(name, graph));
  const chosen = files.flatMap((file): ChosenFile<F>[] => {
    const { path, bytes } = file;
    const name = path.slice(folder.length);
    if (path.startsWith(folder) && !name.includes('/') && isNeeded(name)) return [{ file, place: `onnx/${name}` }];
    return smallFiles.test(path) && bytes <= smallBytesMax ? [{ file, place: path }] : [];
  });
  return { dtype, files: chosen };
}

function isGraph(path: string, folder: string): boolean {
  return path.startsWith(folder) && path.endsWith('.onnx') && !path.slice(folder.length).includes('/');
}

/** `model.onnx_data`, `model.onnx_data_1`, `model.onnx.data`: what exporters call it. */
function isDataOf(name: string, graph: string): boolean {
  return name !== graph && /^[._]data/.test(name.startsWith(graph) ? name.slice(graph.length) : '');
}

function isInside(path: string): boolean {
  return !path.startsWith('/') && !path.split(/[\\/]/).some((part) => part === '..' || part === '');
}

function noConfig(source: string, files: readonly ListedFile[]): ModelFault {
  const nested = files.find(({ path }) => path.endsWith('/config.json'))?.path;
  const found = listNames(files.map(({ path }) => path));
  const hint = nested ? ` It is in ${nested.slice(0, -'/config.json'.length)}/ there.` : '';
  return new ModelFault(
    `${source} has no config.json at its top, so it is no model in Hub layout; found ${found}.${hint}`,
  );
}

function noGraph(source: string, files: readonly ListedFile[], graphs: readonly string[]): ModelFault {
  if (graphs.length > 0) {
    return new ModelFault(
      `${source} has ONNX files, but none that is called model.onnx, model_quantized.onnx, ...; found ${listNames(graphs)}.`,
    );
  }
  const torch = files.filter(({ path }) => torchWeights.test(path)).map(({ path }) => path);
  if (torch.length === 0) {
    const found = listNames(files.map(({ path }) => path));
    return new ModelFault(`${source} has no ONNX files; found ${found}.`);
  }
  const name = source.split('/').at(-1) ?? 'model';
  return new ModelFault(
    `${source} has no ONNX files; ${listNames(torch)} holds weights for PyTorch or others. Export it.`,
    {
      fix: `optimum-cli export onnx --model ${source} ./${name}-onnx && npm run models -- add ./${name}-onnx --as ${name}`,
    },
  );
}

function wrongDtype(source: string, wished: Dtype, found: readonly Dtype[], graphs: readonly string[]): ModelFault {
  const there = found.map((dtype) => `${dtype} (${graphSetIn(graphs, dtype).join(' + ')})`).join(', ');
  return new ModelFault(`${source} has no graph in ${wished}. It has ${there}.`, {
    fix: `npm run models -- pull ${source} --dtype ${found[0]}`,
  });
}
