/**
 * Calls of stock decoder graphs (Optimum, transformers.js): builds the feeds that a graph asks for and carries its cache
 * from call to call. All rows of a call stand at the same position: these graphs take it from the cache's length.
 * What a call gives as `present.*` is the next call's `past_key_values.*` as it is, without a copy.
 */
import type { BatchTensor } from '../task.ts';
import { embed, maskName } from './encode.ts';
import type { Engine, GraphPort, Tensors } from './engine.ts';
import type { LayoutKind } from './graph-layout.ts';
import type { Line } from './lines.ts';
import { int64, ones } from './row-tensors.ts';

const hidden = 'encoder_hidden_states';
const embeddings = 'inputs_embeds';

/** What a cohort keeps between calls; every tensor has one row per line. */
export interface StockStates {
  /** The encoder's states and their mask. */
  readonly encoder: Tensors;
  /** By name of the graph's input; empty before the first call. */
  readonly past: Tensors;
}

export interface StockCall {
  /** Of the last position that was fed, or of all of them: [lines, positions, vocabulary]. */
  readonly logits: BatchTensor;
  readonly past: Tensors;
}

export class StockDecoder {
  readonly #engine: Engine;
  readonly #kind: LayoutKind;
  /** Of each session what writing needs: exports that give attentions too would copy them at every step. */
  readonly #wanted: ReadonlyMap<string, readonly string[]>;

  /** `embedsApart`: there is a graph that makes embeddings of tokens. */
  constructor(engine: Engine, kind: LayoutKind, embedsApart: boolean) {
    this.#engine = engine;
    this.#kind = kind;
    for (const session of this.#sessions)
      for (const port of engine.inputs(session)) checkKnown(session, port, embedsApart);
    this.#wanted = new Map(
      this.#sessions.map((session) => [
        session,
        engine
          .outputs(session)
          .map(({ name }) => name)
          .filter(isWritten),
      ]),
    );
  }

  get #sessions(): readonly string[] {
    return this.#kind === 'split' ? ['decoder', 'decoder_with_past'] : ['decoder'];
  }

  /** A row's encoder states, as the decoder will ask for them. */
  encoderStates(outputs: Tensors): Tensors {
    const states = outputs['last_hidden_state'] ?? Object.values(outputs)[0];
    if (!states) throw new Error('The encoder gave nothing.');
    const [, length = 1] = states.dims;
    const wantsMask = this.#sessions.some((session) =>
      this.#engine.inputs(session).some(({ name }) => name === maskName),
    );
    const mask = outputs[maskName]?.dims[1] === length ? outputs[maskName] : ones([1, length]);
    return { [hidden]: states, ...(wantsMask && mask && { [maskName]: mask }) };
  }

  /** True where a call must be fed all tokens so far. */
  get recomputes(): boolean {
    return this.#kind === 'uncached';
  }

  /** Feeds the tokens from `from` on; the cache holds those before. */
  async call(lines: readonly Line[], from: number, states: StockStates): Promise<StockCall> {
    const isFirst = from === 0 || this.recomputes;
    const session = this.#kind === 'split' && !isFirst ? 'decoder_with_past' : 'decoder';
    const tokens = lines.map((line) => line.tokens);
    const outputs = await this.#engine.run(
      session,
      await this.#feeds(session, tokens, from, states),
      this.#wanted.get(session),
    );
    const { logits } = outputs;
    if (!logits) throw new Error(`The ${session} gave no logits.`);
    return { logits, past: this.recomputes ? {} : this.#pastOf(outputs, states.past) };
  }

  /** Feeds one row's tokens from the first on, in one call, and gives what is wanted of its outputs. */
  async reread(ids: readonly number[], encoder: Tensors, wanted: readonly string[]): Promise<Tensors> {
    return await this.#engine.run('decoder', await this.#feeds('decoder', [ids], 0, { encoder, past: {} }), wanted);
  }

  async #feeds(
    session: string,
    rows: readonly (readonly number[])[],
    from: number,
    { encoder, past }: StockStates,
  ): Promise<Tensors> {
    const count = rows.length;
    const to = rows[0]?.length ?? 0;
    const ids = rows.flatMap((tokens) => tokens.slice(from));
    const positions = Array.from({ length: to - from }, (_, index) => from + index);
    const feeds: Record<string, BatchTensor> = { ...encoder, ...past };
    for (const port of this.#engine.inputs(session)) {
      if (port.name === 'input_ids') feeds[port.name] = int64([count, to - from], ids);
      else if (port.name === embeddings) feeds[port.name] = await embed(this.#engine, int64([count, to - from], ids));
      else if (port.name === 'use_cache_branch')
        feeds[port.name] = { type: 'bool', dims: [1], data: Uint8Array.of(from > 0 ? 1 : 0) };
      else if (port.name === 'cache_position') feeds[port.name] = int64([to - from], positions);
      else if (port.name === 'position_ids')
        feeds[port.name] = int64(
          [count, to - from],
          rows.flatMap(() => positions),
        );
      else if (port.name === 'attention_mask' || port.name === 'decoder_attention_mask')
        feeds[port.name] = ones([count, to]);
      else if (isPast(port) && !past[port.name]) feeds[port.name] = emptyPast(port, count);
    }
    return feeds;
  }

  /** A merged graph gives the encoder's part once; after that its outputs for it are placeholders. */
  #pastOf(outputs: Tensors, before: Tensors): Tensors {
    const past: Record<string, BatchTensor> = {};
    for (const [name, tensor] of Object.entries(outputs)) {
      if (!name.startsWith('present')) continue;
      const input = name.replace(/^present(_key_values)?/, 'past_key_values');
      past[input] = before[input] && /\.(encoder|cross)\./.test(input) ? before[input] : tensor;
    }
    return { ...before, ...past };
  }
}

function isWritten(output: string): boolean {
  return output === 'logits' || output.startsWith('present');
}

function isPast({ name }: GraphPort): boolean {
  return name.startsWith('past_key_values.');
}

/** For the first call of a merged graph, which does not look at it: no positions. */
function emptyPast({ name, dims }: GraphPort, count: number): BatchTensor {
  const [, heads, , size] = dims;
  if (!heads || !size)
    throw new Error(`The decoder's input "${name}" has no fixed heads and size: ${dims.join(' x ')}.`);
  return { type: 'float32', dims: [count, heads, 0, size], data: new Float32Array(0) };
}

const known: ReadonlySet<string> = new Set([
  'input_ids',
  'use_cache_branch',
  'cache_position',
  'position_ids',
  'attention_mask',
  'decoder_attention_mask',
  hidden,
  maskName,
]);

function checkKnown(session: string, port: GraphPort, embedsApart: boolean): void {
  if (known.has(port.name) || isPast(port) || (port.name === embeddings && embedsApart)) return;
  throw new Error(`The ${session} asks for "${port.name}", which no encoder-decoder export known here has.`);
}
