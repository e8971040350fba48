/**
 * Image classification: file to pixels as the model was trained on, logits to the best labels. One row per image.
 */
import { Problem } from '../../../shared/problems/problem.ts';
import { type PixelScale, readPixelScale, scalePixels } from '../../images/pixel-scale.ts';
import { isFiniteAll, roundScore, sigmoid, softmax } from '../../numeric/softmax.ts';
import {
  graphFile,
  graphSignature,
  type Json,
  readConfig,
  readJson,
  readLabels,
} from '../../repository/version-files.ts';
import type {
  BatchTensor,
  CallPipeline,
  PipelineFactory,
  PreparedSource,
  Row,
  RowOutcome,
  RowTensor,
} from '../../task.ts';
import type { ScoreFunction } from './contract.ts';

interface Wish {
  readonly top_k?: number;
  readonly function_to_apply?: ScoreFunction;
}

interface LabelContext {
  readonly topK: number;
  readonly scores: ScoreFunction;
}

const factory: PipelineFactory<CallPipeline> = {
  task: 'image-classification',
  async createPipeline(files, use): Promise<CallPipeline> {
    const config = await readConfig(files);
    const labels = readLabels(config);
    const usual: ScoreFunction = config['problem_type'] === 'multi_label_classification' ? 'sigmoid' : 'softmax';
    const contextOf = (wish: Wish): LabelContext => ({
      topK: wish.top_k ?? 5,
      scores: wish.function_to_apply ?? usual,
    });
    const input = graphSignature(files).inputs[0] ?? 'pixel_values';
    const pixelsMax = files.limits.imagePixelsMax;
    const processor = (await readJson(files, 'preprocessor_config.json')) ?? {};
    const scale = readPixelScale(processor);
    const readPixels = use === 'prepare' ? await createPixelReader(files.versionFolder, scale, pixelsMax) : null;
    const canarySide = inputSide(processor, config);
    return {
      sessions: { model: graphFile(files) },
      async prepare(source, parameters) {
        if (!readPixels) throw new Error('This pipeline was not made to prepare.');
        const { dims, data } = await readPixels(source);
        return [pixelRow(dims, data, contextOf({ ...files.parameters, ...parameters }))];
      },
      collate: (rows) => ({ [input]: collatePixels(rows, scale) }),
      postprocess: (outputs, rows) => postprocess(outputs['logits'], rows, labels),
      merge: (parts) => parts[0],
      canary: {
        rows: [pixelRow([3, canarySide, canarySide], new Float32Array(3 * canarySide * canarySide), contextOf({}))],
      },
    };
  },
};

export default factory;

/** Decoder and processor are heavy (libvips, transformers), so only preparation loads them. */
async function createPixelReader(versionFolder: string, scale: PixelScale, pixelsMax: number | undefined) {
  const { decodeImage } = await import('../../images/decode-image.ts');
  const { loadImageProcessor } = await import('../../images/image-processor.ts');
  const process = await loadImageProcessor(versionFolder, scale);
  return async (source: PreparedSource) => {
    if (source.kind !== 'file') throw new Problem('unsupported-file-type', 'This task takes an image, not a text.');
    return process(await decodeImage(source.path, pixelsMax));
  };
}

function pixelRow(dims: readonly number[], data: Float32Array | Uint8Array, context: LabelContext): Row {
  const type = data instanceof Uint8Array ? 'uint8' : 'float32';
  return { tensors: { pixel_values: { type, dims, data } }, length: 1, shapeKey: dims.join('x'), context };
}

function collatePixels(rows: readonly Row[], scale: PixelScale): BatchTensor {
  const images = rows.map((row) => row.tensors['pixel_values'] as RowTensor);
  const [first] = images;
  const size = first?.data.length ?? 0;
  const data = new Float32Array(rows.length * size);
  for (const [index, image] of images.entries()) {
    if (image.data instanceof Uint8Array) scalePixels(image.data, scale, data, index * size);
    else data.set(image.data, index * size);
  }
  return { type: 'float32', dims: [rows.length, ...(first?.dims ?? [])], data };
}

function postprocess(logits: BatchTensor | undefined, rows: readonly Row[], labels: readonly string[]): RowOutcome[] {
  const width = logits?.dims[1] ?? 0;
  if (!logits || !(logits.data instanceof Float32Array) || width === 0) throw new Error('The graph gave no `logits`.');
  const { data } = logits;
  return rows.map((row, index) => {
    const own = data.subarray(index * width, (index + 1) * width);
    if (!isFiniteAll(own)) {
      return {
        problem: new Problem('non-finite-output', 'The model gave NaN or infinity for this image.').toDetails(),
      };
    }
    return { part: bestLabels(own, labels, row.context as LabelContext) };
  });
}

function bestLabels(logits: Float32Array, labels: readonly string[], { topK, scores: kind }: LabelContext) {
  const scores = kind === 'softmax' ? softmax(logits) : kind === 'sigmoid' ? sigmoid(logits) : logits;
  const order = [...scores.keys()].sort((a, b) => (scores[b] ?? 0) - (scores[a] ?? 0) || a - b);
  return order.slice(0, topK).map((index) => ({
    label: labels[index] ?? `LABEL_${index}`,
    score: roundScore(scores[index] ?? 0),
  }));
}

/** Side of the square that the model sees: crop, else size, else the config's, else ImageNet's 224. */
function inputSide(processor: Json, config: Json): number {
  const size = (key: string) => {
    const value = processor[key];
    if (typeof value === 'number') return value;
    const side = (value as Json | undefined)?.['height'] ?? (value as Json | undefined)?.['shortest_edge'];
    return typeof side === 'number' ? side : undefined;
  };
  const crop = processor['do_center_crop'] === true ? size('crop_size') : undefined;
  return crop ?? size('size') ?? (typeof config['image_size'] === 'number' ? config['image_size'] : 224);
}
