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
import { closeSequence, type Decoder, openSequence, type Progress } from './decoder.ts';
import { type EncodedRow, EncoderStage } from './encoder-stage.ts';
import { type Engine, floatsOf } from './engine.ts';
import { type Arrangement, type Line, openLines, takeLogits, withoutRows } from './lines.ts';
import { int64 } from './row-tensors.ts';
import { type Admission, type Finished, Sequence } from './sequence.ts';
import { SlotCache } from './slot-cache.ts';

const idle: Progress = { finished: [], lines: 0, tokens: 0 };

export class SlotDecoder implements Decoder {
  readonly slots: number;
  readonly isLockstep = false;
  readonly #engine: Engine;
  readonly #plan: GenerationPlan;
  readonly #encoder: EncoderStage;
  readonly #cache: SlotCache;
  readonly #cross: CrossStates;
  /** Encoded, and waiting for slots. */
  #ready: EncodedRow[] = [];
  /** Rows in slots, with what the encoder gave: some begin again. */
  readonly #begun = new Map<Sequence, EncodedRow>();
  #lines: Line[] = [];
  #hasStepped = true;

  constructor(engine: Engine, plan: GenerationPlan, slots: number) {
    this.slots = slots;
    this.#engine = engine;
    this.#plan = plan;
    this.#encoder = new EncoderStage(engine, plan);
    const inputs = engine.inputs('decoder');
    this.#cache = new SlotCache(inputs, slots, plan.positionsMax);
    this.#cross = new CrossStates(inputs, slots);
  }

  get held(): number[] {
    const ready = this.#ready.map(({ sequence }) => sequence);
    return [...this.#encoder.waiting, ...ready, ...this.#begun.keys()].map(({ admission }) => admission.id);
  }

  admit(admissions: readonly Admission[]): Finished[] {
    const finished: Finished[] = [];
    for (const admission of admissions) {
      const opened = openSequence(admission, this.#plan, this.slots);
      if (opened instanceof Sequence) this.#encoder.add(opened);
      else finished.push(opened);
    }
    return finished;
  }

  evict(ids: readonly number[]): void {
    const gone = new Set(ids);
    const isGone = ({ admission }: Sequence) => gone.has(admission.id);
    this.#encoder.drop(isGone);
    this.#ready = this.#ready.filter(({ sequence }) => !isGone(sequence));
    for (const sequence of this.#begun.keys()) if (isGone(sequence)) this.#begun.delete(sequence);
    this.#arrange(withoutRows(this.#lines, isGone));
  }

  /** Encoder and decoder by turns, so that neither waits for the other. */
  async advance(budgetMs: number): Promise<Progress> {
    this.#seat();
    const room = this.slots - this.#lines.length - this.#ready.length;
    const canEncode = this.#encoder.waiting.length > 0 && room > 0;
    if (canEncode && (this.#hasStepped || this.#lines.length === 0)) {
      this.#hasStepped = false;
      const { encoded, failed } = await this.#encoder.encode(budgetMs, room);
      this.#ready.push(...encoded);
      return { ...idle, finished: failed };
    }
    this.#hasStepped = true;
    return this.#lines.length > 0 ? await this.#step() : idle;
  }

  /** Gives free slots to rows that are ready, in order: a wide row at the head is not overtaken for ever. */
  #seat(): void {
    while (this.#ready.length > 0) {
      const [row] = this.#ready as [EncodedRow];
      const { width } = row.sequence;
      if (this.#lines.length + width > this.slots || !this.#cross.fits(row.states)) return;
      this.#ready.shift();
      this.#begun.set(row.sequence, row);
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
    const finished = arrangement.ended.flatMap((sequence) => this.#close(sequence));
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

  #close(sequence: Sequence): Finished[] {
    const row = this.#begun.get(sequence);
    this.#begun.delete(sequence);
    const finished = closeSequence(sequence);
    if (finished) return [finished];
    if (row) this.#ready.unshift(row);
    return [];
  }
}
