/**
 * Continuous batching with our own export (`decoder_slots_model`): per-row positions and masks, so that rows come and go
 * at every step. One iteration: a chunk of the encoder when rows wait and slots are free, then one step over all rows.
 * A prompt is fed token by token, in company of rows that are being written.
 *
 * Inputs: input_ids, position_ids [B,1]; attention_mask [B,C+1] (the last column is the present token); past.{i}.key and
 * .value [B,H,C,D]; cross.{i}.key and .value [B,H,S,D]; cross_mask [B,S] at will. Outputs: logits [B,1,V];
 * present.{i}.key and .value [B,H,1,D], this step's column.
 */
import type { BatchTensor, GenerationPlan } from '../task.ts';
import { CrossStates } from './cross-states.ts';
import type { Decoder, Progress } from './decoder.ts';
import type { Encode } from './encode.ts';
import { type Engine, floatsOf } from './engine.ts';
import { HeldRows } from './held-rows.ts';
import { advanceLines, closeHoles, type Line, openLines } from './lines.ts';
import { int64 } from './row-tensors.ts';
import type { Admission, Finished } from './sequence.ts';
import { SlotCache } from './slot-cache.ts';

const idle: Progress = { finished: [], lines: 0, tokens: 0 };

export class SlotDecoder implements Decoder {
  readonly slots: number;
  readonly isLockstep = false;
  readonly #engine: Engine;
  readonly #rows: HeldRows;
  readonly #cache: SlotCache;
  readonly #cross: CrossStates;
  /** Null where a row has left: the next one takes its place, and only before a step holes are closed. */
  #lines: (Line | null)[] = [];
  #hasStepped = true;

  constructor(engine: Engine, encode: Encode, plan: GenerationPlan, slots: number) {
    this.slots = slots;
    this.#engine = engine;
    this.#rows = new HeldRows(encode, plan, slots);
    const inputs = engine.inputs('decoder');
    this.#cache = new SlotCache(inputs, slots, plan.positionsMax);
    this.#cross = new CrossStates(inputs, slots);
  }

  get held(): number[] {
    return this.#rows.ids;
  }

  admit(admissions: readonly Admission[]): Finished[] {
    return this.#rows.admit(admissions);
  }

  evict(ids: readonly number[]): void {
    const isGone = this.#rows.evict(ids);
    for (const [place, line] of this.#lines.entries()) if (line && isGone(line.sequence)) this.#free(place);
  }

  /** Encoder and decoder by turns, so that neither waits for the other. */
  async advance(budgetMs: number): Promise<Progress> {
    this.#seat();
    const live = this.#countLive();
    const room = this.slots - live - this.#rows.ready.length;
    const canEncode = this.#rows.encoder.waiting.length > 0 && room > 0;
    if (canEncode && (this.#hasStepped || live === 0)) {
      this.#hasStepped = false;
      const { encoded, failed } = await this.#rows.encoder.encode(budgetMs, room);
      this.#rows.addReady(encoded);
      return { ...idle, finished: failed };
    }
    this.#hasStepped = true;
    return live > 0 ? await this.#step(this.#closeUp()) : idle;
  }

  /** Gives free places to rows that are ready, in order: a wide row at the head is not overtaken for ever. */
  #seat(): void {
    for (const row of this.#rows.ready) {
      const { sequence } = row;
      if (this.#countLive() + sequence.width > this.slots || !this.#cross.fits(row.states)) return;
      this.#rows.begin([row]);
      for (const line of openLines(sequence)) {
        const hole = this.#lines.indexOf(null);
        const place = hole < 0 ? this.#lines.length : hole;
        this.#lines[place] = line;
        this.#cache.clear(place);
        this.#cross.put(row.states, place);
      }
    }
  }

  #countLive(): number {
    return this.#lines.reduce((count, line) => count + (line ? 1 : 0), 0);
  }

  #free(place: number): void {
    this.#lines[place] = null;
    this.#cross.drop(place);
  }

  /** The graph takes lines without holes: the last ones move into those that nobody took. */
  #closeUp(): Line[] {
    const before = this.#lines.map((_, place) => place);
    const { lines, sources } = closeHoles(this.#lines, before);
    if (lines.length < before.length) {
      this.#cache.arrange(
        sources,
        lines.map(({ position }) => position),
      );
      this.#cross.arrange(sources);
    }
    this.#lines = lines;
    return lines;
  }

  async #step(lines: readonly Line[]): Promise<Progress> {
    const lengths = lines.map(({ position }) => position);
    this.#cache.fit(lengths);
    const outputs = await this.#engine.run('decoder', {
      input_ids: int64(
        [lines.length, 1],
        lines.map(({ tokens }) => tokens.at(-1) as number),
      ),
      position_ids: int64([lines.length, 1], lengths),
      attention_mask: this.#mask(lengths),
      ...this.#cache.feeds(lines.length),
      ...this.#cross.feeds(),
    });
    const logits = floatsOf(outputs, 'logits', 'decoder');
    const vocabulary = logits.length / lines.length;
    this.#cache.append(outputs, lengths);
    const advanced = advanceLines(lines, (line) => logits.subarray(line * vocabulary, (line + 1) * vocabulary));
    for (const [place, line] of advanced.lines.entries()) if (!line) this.#cross.drop(place);
    this.#lines = advanced.lines;
    // Beams of a row share what the encoder gave: only their pasts move.
    if (advanced.sources)
      this.#cache.arrange(
        advanced.sources,
        advanced.lines.map((line) => line?.position ?? 0),
      );
    const finished = advanced.ended.flatMap((sequence) => this.#rows.close(sequence));
    return { finished, lines: lines.length, tokens: advanced.written };
  }

  #mask(lengths: readonly number[]): BatchTensor {
    const columns = this.#cache.capacity + 1;
    const data = new BigInt64Array(lengths.length * columns);
    for (const [row, length] of lengths.entries()) {
      data.fill(1n, row * columns, row * columns + length);
      data[(row + 1) * columns - 1] = 1n;
    }
    return { type: 'int64', dims: [lengths.length, columns], data };
  }
}
