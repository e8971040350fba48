import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { smallModels } from './expected.ts';
import { partOf } from './run-model.ts';
import { shapesOf, startHearing, type Wish } from './run-whisper.ts';

interface ReferenceCase extends Wish {
  readonly windows: readonly (readonly number[])[];
  readonly output: {
    readonly text: string;
    readonly chunks?: readonly { readonly text: string; readonly timestamp: readonly (number | null)[] }[];
  };
}

const id = 'whisper-tiny';

for (const [shape, folder] of Object.entries(shapesOf(id, smallModels))) {
  const skip = existsSync(join(folder, id, 'reference.json')) ? false : `not made yet: npm run parity -- ${id}`;
  describe(`Whisper of random weights and ${shape} shape`, { skip }, () => {
    let hearing: Awaited<ReturnType<typeof startHearing>>;
    let cases: readonly ReferenceCase[];
    before(async () => {
      hearing = await startHearing(folder, id);
      cases = JSON.parse(readFileSync(join(folder, id, 'reference.json'), 'utf8')) as readonly ReferenceCase[];
    });
    after(() => hearing.stop());

    it("writes transformers' tokens, whatever shares its batches", async () => {
      const rows = await Promise.all(cases.map((wish) => hearing.prepare(wish)));
      const { written } = await hearing.write(rows.flat());
      for (const [index, { windows, recording, parameters }] of cases.entries()) {
        // Language, task and no timestamps are written where the language was to be detected.
        const forced = 'language' in parameters || 'prompt' in parameters ? 0 : parameters['return_timestamps'] ? 2 : 3;
        const found = rows[index]?.map((row) => written.get(row)?.ids.slice(forced));
        assert.deepEqual(found, windows, `${basename(recording)} ${JSON.stringify(parameters)}`);
      }
    });

    it('joins them to the text and the chunks of transformers', async () => {
      for (const wish of cases) {
        const rows = await hearing.prepare(wish);
        const { outcomes } = await hearing.write(rows);
        const output = hearing.merge(outcomes.map(partOf), rows) as ReferenceCase['output'];
        assert.equal(output.text, wish.output.text.trim());
        // What says nothing is left out here; and no time is later than the end of the recording.
        const expected = wish.output.chunks?.filter(({ text }) => text !== '');
        for (const [index, { text, timestamp }] of (expected ?? []).entries()) {
          const own = output.chunks?.[index];
          assert.equal(own?.text, text);
          const [start, end] = (own?.timestamp ?? []) as [number, number];
          if (timestamp[0] != null) assert.ok(Math.abs(start - Math.min(timestamp[0], end)) < 0.011);
        }
        assert.equal(output.chunks?.length, expected?.length);
      }
    });
  });
}
