/**
 * The decoder that fits a model's graphs, told by what they ask for; and how many rows it may hold, told by what their
 * cache takes.
 */
import type { GenerationPlan } from '../task.ts';
import { CohortDecoder } from './cohort-decoder.ts';
import type { Decoder } from './decoder.ts';
import { createEncode } from './encode.ts';
import { checkPorts, type Engine, type GraphPort } from './engine.ts';
import type { LayoutKind } from './graph-layout.ts';
import { SlotDecoder } from './slot-decoder.ts';
import { StockDecoder } from './stock-decoder.ts';

/** On two cores a step of 16 rows gave 5.8 times the tokens of one row, of 8 rows 4.3 times (Whisper-base's shape). */
const slotsMax = 16;
/** For the cache of one lane, all rows at their full length. */
const cacheBytesMax = 1 << 30;

export function createDecoder(engine: Engine, plan: GenerationPlan, sessions: readonly string[]): Decoder {
  checkPorts(engine, sessions);
  const inputs = engine.inputs('decoder');
  const slots = slotsWithin(
    sessions.flatMap((session) => engine.inputs(session)),
    plan.positionsMax,
  );
  const encode = createEncode(engine, sessions);
  if (inputs.some(({ name }) => name === 'past.0.key')) return new SlotDecoder(engine, encode, plan, slots);
  const decoder = new StockDecoder(engine, kindOf(inputs, sessions), sessions.includes('embed_tokens'));
  return new CohortDecoder(decoder, encode, plan, slots);
}

function kindOf(inputs: readonly GraphPort[], sessions: readonly string[]): LayoutKind {
  if (inputs.some(({ name }) => name === 'use_cache_branch')) return 'merged';
  return sessions.includes('decoder_with_past') ? 'split' : 'uncached';
}

/** The encoder's states take their place by the same token: counted as one more cache of full length. */
function slotsWithin(inputs: readonly GraphPort[], positionsMax: number): number {
  const perPosition = inputs
    .filter(({ name }) => /^past/.test(name) && !/\.(encoder|cross)\./.test(name))
    .reduce((sum, { dims: [, heads, , size] }) => sum + 4 * (heads ?? 0) * (size ?? 0), 0);
  const perRow = 2 * perPosition * positionsMax;
  return Math.max(1, Math.min(slotsMax, perRow === 0 ? slotsMax : Math.floor(cacheBytesMax / perRow)));
}
