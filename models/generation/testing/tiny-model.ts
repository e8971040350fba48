/** The tiny encoder-decoder of the tests in each layout, and plans for it: rows are pictures of a few patches. */
import { join } from 'node:path';
import { openEngine } from '../../parity/onnx-engine.ts';
import type { GenerationPlan, Row, SequenceStart, Written } from '../../task.ts';
import { createDecoder } from '../create-decoder.ts';
import type { Decoder } from '../decoder.ts';
import type { Engine } from '../engine.ts';

export const startId = 1;
export const stopId = 2;
export const positionsMax = 64;
const patch = 8;

const stock = (graphs: Record<string, string>) => ({ folder: 'stock', graphs });
const layouts = {
  slots: { folder: 'slots', graphs: { decoder: 'decoder_slots_model' } },
  merged: stock({ decoder: 'decoder_model_merged' }),
  split: stock({ decoder: 'decoder_model', decoder_with_past: 'decoder_with_past_model' }),
  uncached: stock({ decoder: 'decoder_model' }),
};
export type TinyLayout = keyof typeof layouts;
export const tinyLayouts = Object.keys(layouts) as TinyLayout[];

export const tinyFolder = join(import.meta.dirname, 'tiny');

export async function openTiny(layout: TinyLayout): Promise<Engine & { release(): Promise<void> }> {
  const { folder, graphs } = layouts[layout];
  const files = Object.entries({ encoder: 'encoder_model', ...graphs });
  const sessions = Object.fromEntries(files.map(([name, graph]) => [name, `onnx/${graph}.onnx`]));
  return await openEngine(join(tinyFolder, folder), sessions);
}

export function tinyDecoder(layout: TinyLayout, engine: Engine, plan: GenerationPlan): Decoder {
  return createDecoder(engine, plan, ['encoder', ...Object.keys(layouts[layout].graphs)]);
}

/** A row of its own for every seed. */
export function tinyRow(seed: number, patches = 5, start: Partial<SequenceStart> = {}): Row {
  const dims = [3, patch, patches * patch];
  const length = 3 * patch * patches * patch;
  const data = Float32Array.from({ length }, (_, at) => Math.sin(seed * 12.9898 + at * 78.233) * 1.5);
  return {
    tensors: { pixel_values: { type: 'float32', dims, data } },
    length: 1,
    shapeKey: `${patches}`,
    context: start,
  };
}

/** What a row became: everything that was written. */
export type TinyPart = Written & { readonly attempt: number };

export const tinyPlan: GenerationPlan = {
  positionsMax,
  collate(rows) {
    const dims = rows[0]?.tensors['pixel_values']?.dims ?? [];
    const size = dims.reduce((product, dim) => product * dim, 1);
    const data = new Float32Array(rows.length * size);
    for (const [index, row] of rows.entries()) data.set(row.tensors['pixel_values']?.data ?? [], index * size);
    return { pixel_values: { type: 'float32', dims: [rows.length, ...dims], data } };
  },
  begin: (row) => ({
    promptIds: [startId],
    tokensMax: 40,
    stopIds: [stopId],
    sampling: { temperature: 0 },
    ...(row.context as Partial<SequenceStart>),
  }),
  finish: (_row, written, attempt) => ({ part: { ...written, attempt } satisfies TinyPart }),
};

/** Writes all rows, admitting them as `admitAt` says (by iteration; all at once when absent). Parts in order of rows. */
export async function writeAll(
  decoder: Decoder,
  rows: readonly Row[],
  admitAt: readonly number[] = [],
): Promise<TinyPart[]> {
  const outcomes = new Map<number, unknown>();
  for (let iteration = 0; outcomes.size < rows.length; iteration++) {
    if (iteration > 10_000) throw new Error('The rows do not end.');
    const due = [...rows.keys()].filter((id) => (admitAt[id] ?? 0) === iteration);
    const early = decoder.admit(due.map((id) => ({ id, row: rows[id] as Row, rank: 0 })));
    const { finished } = await decoder.advance(1000);
    for (const { id, outcome } of [...early, ...finished])
      outcomes.set(id, 'part' in outcome ? outcome.part : outcome.problem);
  }
  return rows.map((_, id) => outcomes.get(id) as TinyPart);
}
