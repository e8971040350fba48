/** Speech recognition: models of the wav2vec2 family, which label frames (CTC). */
import { readConfig } from '../../repository/version-files.ts';
import type { PipelineFactory } from '../../task.ts';
import { createCtcPipeline } from './ctc/ctc-pipeline.ts';

const factory: PipelineFactory = {
  task: 'automatic-speech-recognition',
  createPipeline: async (files, use) => createCtcPipeline(files, await readConfig(files), use),
};

export default factory;
