/**
 * Image classification: file to pixels as the model was trained on, logits to the best labels. One row per image.
 */
import { Problem } from '../../../shared/problems/problem.ts';
import { canaryPixels, collatePixels, createPixelReader, pixelRow, readPlan } from '../../images/pixel-rows.ts';
import { makePixelScale } from '../../images/pixel-scale.ts';
import { greatest } from '../../numeric/greatest.ts';
import { isFiniteAll, roundScore, sigmoid, softmax } from '../../numeric/softmax.ts';
import { graphFile, graphSignature, readConfig, readLabels } from '../../repository/version-files.ts';
import type { BatchTensor, CallPipeline, PipelineFactory, Row, RowOutcome } from '../../task.ts';
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
    const plan = await readPlan(files);
    const scale = makePixelScale(plan.scale);
    const readPixels = use === 'prepare' ? await createPixelReader(plan, files.limits.imagePixelsMax) : null;
    const ownSide = typeof config['image_size'] === 'number' ? config['image_size'] : 224;
    return {
      sessions: { model: graphFile(files) },
      async prepare(source, parameters) {
        if (!readPixels) throw new Error('This pipeline was not made to prepare.');
        const { pixels } = await readPixels(source);
        return [pixelRow(pixels, contextOf({ ...files.parameters, ...parameters }))];
      },
      collate: (rows) => ({ [input]: collatePixels(rows, scale) }),
      postprocess: (outputs, rows) => postprocess(outputs['logits'], rows, labels),
      merge: (parts) => parts[0],
      canary: { rows: [pixelRow(canaryPixels(plan, ownSide), contextOf({}))] },
    };
  },
};

export default factory;

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
  return greatest(scores, topK).map((index) => ({
    label: labels[index] ?? `LABEL_${index}`,
    score: roundScore(scores[index] ?? 0),
  }));
}
