/**
 * A model that writes token by token, as a lane has it loaded: rows come and go between calls, and stay with their cache.
 * A call ends when its time is over, or earlier when a row has ended and its place may be wanted.
 */
import { join } from 'node:path';
import { freeLarge } from '../../models/free-memory.ts';
import { createDecoder } from '../../models/generation/create-decoder.ts';
import { type Decoder, writeRows } from '../../models/generation/decoder.ts';
import type { Engine } from '../../models/generation/engine.ts';
import type { ModelFiles } from '../../models/repository/model-files.ts';
import type { GenerationPlan, GenerativePipeline } from '../../models/task.ts';
import { canaryRows } from './canary-rows.ts';
import { closeOutcome } from './close-outcome.ts';
import type { LaneOptions, LaneSequence, StepOrder, StepWork, Writes } from './lane-protocol.ts';
import { type OnnxSession, openSession } from './onnx-session.ts';

/** A row that ends does not end its call before this: with tiny models the way to the worker and back would be most of it. */
const callMsMin = 5;
/** Enough to go through every graph: prompt, first step, further steps. */
const canaryTokens = 4;

export class WritingModel {
  readonly writes: Writes;
  readonly #pipeline: GenerativePipeline;
  readonly #sessions: ReadonlyMap<string, OnnxSession>;
  readonly #engine: Engine;
  readonly #decoder: Decoder;
  readonly #rows = new Map<number, LaneSequence>();

  private constructor(pipeline: GenerativePipeline, sessions: ReadonlyMap<string, OnnxSession>) {
    this.#pipeline = pipeline;
    this.#sessions = sessions;
    this.#engine = engineOf(sessions);
    this.#decoder = createDecoder(this.#engine, pipeline.generation, [...sessions.keys()]);
    this.writes = { slots: this.#decoder.slots, isLockstep: this.#decoder.isLockstep };
  }

  static async open(files: ModelFiles, pipeline: GenerativePipeline, options: LaneOptions): Promise<WritingModel> {
    const sessions = new Map<string, OnnxSession>();
    for (const [name, graph] of Object.entries(pipeline.sessions))
      sessions.set(name, await openSession(join(files.versionFolder, graph), options, name.startsWith('decoder')));
    return new WritingModel(pipeline, sessions);
  }

  /** A few tokens of the canary rows, by a decoder of their own. */
  async canary(count?: number): Promise<void> {
    const decoder = createDecoder(this.#engine, shortened(this.#pipeline.generation), [...this.#sessions.keys()]);
    for (const outcome of await writeRows(decoder, canaryRows(this.#pipeline, count)))
      if ('problem' in outcome) throw new Error(`Canary failed: ${outcome.problem.detail}`);
  }

  /** Rejects when a step failed: the rows that were held are lost, and the model is as if it had none. */
  async step({ admit, evict, budgetMs }: StepOrder): Promise<StepWork> {
    const startedAt = performance.now();
    this.#decoder.evict(evict);
    for (const row of admit) this.#rows.set(row.id, row);
    try {
      const finished = this.#decoder.admit(admit);
      const work = { steps: 0, lines: 0, tokens: 0, stepMs: 0 };
      let elapsedMs = 0;
      let lastMs = 0;
      while (this.#decoder.held.length > 0) {
        const { finished: ended, lines, tokens } = await this.#decoder.advance(budgetMs - elapsedMs);
        finished.push(...ended);
        lastMs = performance.now() - startedAt - elapsedMs;
        elapsedMs += lastMs;
        if (lines > 0) work.stepMs += lastMs;
        work.steps += lines > 0 ? 1 : 0;
        work.lines += lines;
        work.tokens += tokens;
        if (elapsedMs + lastMs > budgetMs || (finished.length > 0 && elapsedMs >= callMsMin)) break;
      }
      const outcomes = finished.map(({ id, outcome }) => ({
        id,
        outcome: closeOutcome(this.#pipeline, outcome, this.#rows.get(id) as LaneSequence),
      }));
      this.#forget();
      return { finished: outcomes, held: this.#decoder.held, ...work, computeMs: performance.now() - startedAt };
    } catch (error) {
      this.#decoder.evict(this.#decoder.held);
      this.#forget();
      throw error;
    }
  }

  async release(): Promise<void> {
    for (const session of this.#sessions.values()) await session.release();
  }

  #forget(): void {
    const held = new Set(this.#decoder.held);
    for (const [id, { row }] of this.#rows) {
      if (held.has(id)) continue;
      freeLarge(row.tensors);
      this.#rows.delete(id);
    }
  }
}

function engineOf(sessions: ReadonlyMap<string, OnnxSession>): Engine {
  const session = (name: string) => {
    const found = sessions.get(name);
    if (!found) throw new Error(`The pipeline names no session "${name}".`);
    return found;
  };
  return {
    inputs: (name) => session(name).inputs,
    outputs: (name) => session(name).outputs,
    run: async (name, feeds, wanted) => await session(name).run(feeds, wanted),
  };
}

function shortened(plan: GenerationPlan): GenerationPlan {
  return {
    ...plan,
    begin: (row, attempt) => ({ ...plan.begin(row, attempt), tokensMax: canaryTokens }),
    finish(row, written, attempt) {
      const outcome = plan.finish(row, written, attempt);
      return outcome === 'again' ? { part: null } : outcome;
    },
  };
}
