/**
 * Speech recognition by the family of the model: Whisper writes token by token, models of the wav2vec2 family label
 * frames (CTC). `config.json` tells which one it is.
 */
import { readConfig } from '../../repository/version-files.ts';
import type { PipelineFactory } from '../../task.ts';
import { createCtcPipeline } from './ctc/ctc-pipeline.ts';
import { createWhisperPipeline } from './whisper/whisper-pipeline.ts';

const factory: PipelineFactory = {
  task: 'automatic-speech-recognition',
  async createPipeline(files, use) {
    const config = await readConfig(files);
    const create = config['model_type'] === 'whisper' ? createWhisperPipeline : createCtcPipeline;
    return await create(files, config, use);
  },
};

export default factory;
