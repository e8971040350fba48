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
import { type Arrangement, type Line, openLines, takeLogits, withoutRows } from './lines.ts';
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
  #lines: Line[] = [];
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
    this.#arrange(withoutRows(this.#lines, this.#rows.evict(ids)));
  }

  /** Encoder and decoder by turns, so that neither waits for the other. */
  async advance(budgetMs: number): Promise<Progress> {
    this.#seat();
    const room = this.slots - this.#lines.length - this.#rows.ready.length;
    const canEncode = this.#rows.encoder.waiting.length > 0 && room > 0;
    if (canEncode && (this.#hasStepped || this.#lines.length === 0)) {
      this.#hasStepped = false;
      const { encoded, failed } = await this.#rows.encoder.encode(budgetMs, room);
      this.#rows.addReady(encoded);
      return { ...idle, finished: failed };
    }
    this.#hasStepped = true;
    return this.#lines.length > 0 ? await this.#step() : idle;
  }

  /** Gives free slots to rows that are ready, in order: a wide row at the head is not overtaken for ever. */
  #seat(): void {
    for (const row of this.#rows.ready) {
      const { width } = row.sequence;
      if (this.#lines.length + width > this.slots || !this.#cross.fits(row.states)) return;
      this.#rows.begin([row]);
      this.#cross.append(row.states, width);
      this.#lines.push(...openLines(row.sequence));
    }
  }

  async #step(): Promise<Progress> {
    const lines = this.#lines;
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
    const arrangement = takeLogits(lines, (line) => logits.subarray(line * vocabulary, (line + 1) * vocabulary));
    this.#arrange(arrangement);
    const finished = arrangement.ended.flatMap((sequence) => this.#rows.close(sequence));
    return { finished, lines: lines.length, tokens: arrangement.written };
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

  #arrange({ lines, sources, ended }: Arrangement): void {
    for (const [row, { sequence }] of this.#lines.entries())
      if (ended.includes(sequence) && sequence.hasFailed) this.#cache.clear(row);
    this.#lines = lines;
    this.#cache.arrange(
      sources,
      lines.map(({ position }) => position),
    );
    this.#cross.arrange(sources);
  }
}
