/** The pipelines of one use, kept between items: made once per unit, the least recently used dropped. */
import { loadChatFactory, loadPipelineFactory } from './discover-tasks.ts';
import { type ModelFiles, unitOf } from './repository/model-files.ts';
import type { PipelineBase, PipelineFactory } from './task.ts';

/** A tokeniser of 30,000 words holds about 10 MB: eight of them keep a thread under 100 MB. */
const pipelinesMax = 8;

export class KeptPipelines {
  readonly #use: Parameters<PipelineFactory['createPipeline']>[1];
  readonly #pipelines = new Map<string, Promise<PipelineBase>>();

  constructor(use: Parameters<PipelineFactory['createPipeline']>[1]) {
    this.#use = use;
  }

  get(files: ModelFiles): Promise<PipelineBase> {
    const unit = unitOf(files);
    const pipeline = this.#pipelines.get(unit) ?? this.#create(files, unit);
    this.#pipelines.delete(unit);
    this.#pipelines.set(unit, pipeline);
    const oldest = this.#pipelines.keys().next().value;
    if (this.#pipelines.size > pipelinesMax && oldest !== undefined) this.#pipelines.delete(oldest);
    return pipeline;
  }

  async #create(files: ModelFiles, unit: string): Promise<PipelineBase> {
    try {
      const factory = await (files.upstream ? loadChatFactory(files.task) : loadPipelineFactory(files.task));
      return await factory.createPipeline(files, this.#use);
    } catch (error) {
      // A file may be on its way: the next item tries again.
      this.#pipelines.delete(unit);
      throw error;
    }
  }
}
