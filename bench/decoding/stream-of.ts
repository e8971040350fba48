/** Our half of a race: ragged texts through a decoder of its own. */
import { createDecoder } from '../../models/generation/create-decoder.ts';
import { createRandom } from '../simulator/random.ts';
import type { Block } from './race.ts';
import { raggedTokens } from './ragged.ts';
import { RaggedStream, type Rule } from './ragged-stream.ts';
import type { Subject } from './subjects.ts';

/** Texts are drawn from the same seed for each rule. */
export function streamOf(
  { engine, plan, sessions, row }: Subject,
  rule: Rule,
  rows: number | (() => number),
  onStep?: (lines: number, ms: number) => void,
): Block {
  const nextTokens = drawTexts();
  const decoder = createDecoder(engine, plan, sessions);
  const atOnce = typeof rows === 'number' ? () => rows : rows;
  const stream = new RaggedStream(decoder, { rule, atOnce, nextTokens, rowOf: row, ...(onStep && { onStep }) });
  return async (isOver) => await stream.run(isOver);
}

/** Lengths of texts without end, the same for everybody who asks. */
export function drawTexts(): () => number {
  const random = createRandom(2);
  return () => raggedTokens(random);
}
