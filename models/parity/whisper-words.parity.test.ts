import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import type { WrittenWindow } from '../tasks/automatic-speech-recognition/whisper/decoding-plan.ts';
import { smallModels } from './expected.ts';
import { partOf } from './run-model.ts';
import { shapesOf, startHearing, type Wish } from './run-whisper.ts';

interface ReferenceCase extends Wish {
  /** Tokens of each window, and when each has been said, in seconds of it. */
  readonly windows: readonly { readonly ids: readonly number[]; readonly ends: readonly number[] }[];
  readonly output: {
    readonly text: string;
    readonly chunks: readonly { readonly text: string; readonly timestamp: readonly [number, number] }[];
  };
}

const id = 'whisper-tiny_timestamped';
const frameSeconds = 0.02;
/** Float sums differ in the last digits between runtimes: a path that is a toss-up may step one frame earlier or later. */
const within = frameSeconds + 0.001;

for (const [shape, folder] of Object.entries(shapesOf(id, smallModels))) {
  const skip = existsSync(join(folder, id, 'words.json')) ? false : `not made yet: npm run parity -- ${id}`;
  describe(`Times of words by Whisper of random weights and ${shape} shape`, { skip }, () => {
    let hearing: Awaited<ReturnType<typeof startHearing>>;
    let cases: readonly ReferenceCase[];
    before(async () => {
      hearing = await startHearing(folder, id);
      cases = JSON.parse(readFileSync(join(folder, id, 'words.json'), 'utf8')) as readonly ReferenceCase[];
    });
    after(() => hearing.stop());

    it('are those of transformers, token by token, whatever shares the batches', async (t) => {
      const rows = await Promise.all(cases.map((wish) => hearing.prepare(wish)));
      const { outcomes } = await hearing.write(rows.flat());
      const windows = outcomes.map((outcome) => partOf(outcome) as WrittenWindow);
      const wanted = cases.flatMap((wish) => wish.windows.map((window) => ({ ...window, recording: wish.recording })));
      let off = 0;
      for (const [index, { ids, ends, recording }] of wanted.entries()) {
        const { tokens } = windows[index] as WrittenWindow;
        assert.deepEqual(tokens.ids, ids, basename(recording));
        for (const [at, end] of ends.entries()) {
          const own = tokens.times?.[at];
          const error = Math.abs((own?.end ?? Number.NaN) - end);
          assert.ok(error < within, `${basename(recording)} token ${at}: ${own?.end}, not ${end}`);
          assert.equal(own?.start, tokens.times?.[at - 1]?.end ?? 0);
          if (error > 0.001) off++;
        }
      }
      t.diagnostic(`${wanted.flatMap(({ ids }) => ids).length} tokens, ${off} of them a frame off`);
    });

    it('are joined over windows to the words of transformers', async (t) => {
      let [words, exact] = [0, 0];
      for (const wish of cases) {
        const rows = await hearing.prepare(wish);
        const { outcomes } = await hearing.write(rows);
        const { chunks } = hearing.merge(outcomes.map(partOf), rows) as ReferenceCase['output'];
        const expected = wish.output.chunks.filter(({ text }) => text.trim() !== '');
        assert.deepEqual(
          chunks.map(({ text }) => text),
          expected.map(({ text }) => text),
        );
        for (const [index, { text, timestamp }] of expected.entries()) {
          const [start, end] = chunks[index]?.timestamp ?? [Number.NaN, Number.NaN];
          // The first and the last word of a segment keep within it; transformers gives them the pause beside it.
          assert.ok(start > timestamp[0] - within && end < timestamp[1] + within, `${text} ${start} to ${end}`);
          exact += Math.abs(start - timestamp[0]) < within && Math.abs(end - timestamp[1]) < within ? 1 : 0;
          words++;
        }
      }
      assert.ok(exact > 0.8 * words);
      t.diagnostic(`${words} words, ${exact} of them with the very times`);
    });
  });
}
