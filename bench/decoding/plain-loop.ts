/**
 * Static batches with eviction as one writes them by hand around a stock export: a batch in lockstep, the likeliest token
 * of each row, rows leave when they end. The same calls as a cohort's, without rows that wait, ranks, writers and rules.
 */
import { type Line, openLines, withoutRows } from '../../models/generation/lines.ts';
import { pickToken } from '../../models/generation/pick-token.ts';
import { arrangeRows, joinRows } from '../../models/generation/row-tensors.ts';
import { Sequence } from '../../models/generation/sequence.ts';
import { StockDecoder, type StockStates } from '../../models/generation/stock-decoder.ts';
import type { BatchTensor } from '../../models/task.ts';
import type { Work } from './ragged-stream.ts';
import type { Subject } from './subjects.ts';

type Named = Readonly<Record<string, BatchTensor>>;

/** Writes one batch of texts of these lengths. */
export async function writeBatch({ engine, plan, row }: Subject, texts: readonly number[]): Promise<Work> {
  const stock = new StockDecoder(engine, 'merged', false);
  const rows = texts.map(row);
  const states = stock.encoderStates(await engine.run('encoder', plan.collate(rows.slice(0, 1))));
  let lines = rows.flatMap((one, id) => openLines(new Sequence({ id, row: one, rank: 0 }, plan)));
  let held: StockStates = { encoder: mapTensors(states, (one) => joinRows(texts.map(() => one))), past: {} };
  const work = { tokens: 0, lines: 0, steps: 0 };
  while (lines.length > 0) {
    const { logits, past } = await stock.call(lines, lines[0]?.position ?? 0, held);
    work.steps++;
    work.lines += lines.length;
    appendLikeliest(lines, logits);
    const { lines: left, sources } = withoutRows(
      lines,
      ({ admission }) => work.steps >= (texts[admission.id] as number),
    );
    lines = left;
    const arrange = (tensors: Named) => mapTensors(tensors, (tensor) => arrangeRows(tensor, sources));
    held = { encoder: arrange(held.encoder), past: arrange(past) };
  }
  return { ...work, tokens: work.lines };
}

function appendLikeliest(lines: readonly Line[], { data, dims }: BatchTensor): void {
  const size = dims.at(-1) ?? 0;
  for (const [index, line] of lines.entries()) {
    const own = (data as Float32Array).subarray(index * size, (index + 1) * size);
    line.tokens.push(pickToken(own, { temperature: 0 }, line.position));
    line.position++;
  }
}

function mapTensors(tensors: Named, change: (tensor: BatchTensor) => BatchTensor): Record<string, BatchTensor> {
  return Object.fromEntries(Object.entries(tensors).map(([name, tensor]) => [name, change(tensor)]));
}
