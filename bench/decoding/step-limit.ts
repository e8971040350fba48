/**
 * The physical limit of a decoder: its graph's step at a full batch, run again and again with nothing around. Feeds are
 * those of a real step in the middle of an average text: a cache that is no longer than it must be.
 */
import { createDecoder } from '../../models/generation/create-decoder.ts';
import { writeRows } from '../../models/generation/decoder.ts';
import type { Engine, Tensors } from '../../models/generation/engine.ts';
import type { Subject } from './subjects.ts';

/** One such step per call. */
export async function recordStep(subject: Subject, rows: number, position: number): Promise<() => Promise<void>> {
  let feeds: Tensors | null = null;
  const { engine, plan, sessions } = subject;
  const recording: Engine = {
    ...engine,
    async run(session, given, wanted) {
      if (session === 'decoder' && given['input_ids']?.dims[0] === rows) feeds = given;
      return await engine.run(session, given, wanted);
    },
  };
  // A text's last token is written at the position before its length.
  const texts = Array.from({ length: rows }, () => subject.row(Math.round(position) + 1));
  await writeRows(createDecoder(recording, plan, sessions), texts);
  const step: Tensors | null = feeds;
  if (!step) throw new Error(`No step had all ${rows} rows.`);
  return async () => {
    await engine.run('decoder', step);
  };
}
