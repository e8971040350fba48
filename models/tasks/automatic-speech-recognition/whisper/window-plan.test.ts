import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Problem } from '../../../../shared/problems/problem.ts';
import type { Review, Row, Written } from '../../../task.ts';
import { readOutputWish } from '../output/transcription.ts';
import { readDecodingWish } from './caller-wishes.ts';
import type { WrittenWindow } from './decoding-plan.ts';
import type { WhisperFiles } from './whisper-files.ts';
import { createWindowPlan, toRow } from './window-plan.ts';

/** Text below 20; 20 ends, 21 starts; 22 to 24 are languages, 25 and 26 tasks. */
const files: WhisperFiles = {
  mel: { sampleRate: 100, fftSize: 4, hop: 10, mels: 2, windowSamples: 40 },
  tokens: {
    end: 20,
    start: 21,
    startOfPrevious: 27,
    noSpeech: 28,
    noTimestamps: 29,
    firstTimestamp: 30,
    multilingual: {
      languages: new Map([
        ['en', 22],
        ['ru', 23],
        ['de', 24],
      ]),
      transcribe: 25,
      translate: 26,
    },
  },
  vocabulary: { decode: (ids) => ids.map((id) => `word${id} `).join('') },
  secondsPerTimestamp: 0.02,
  positionsMax: 16,
  suppressed: [5],
  suppressedFirst: [6],
  firstTimestampMax: null,
  usualLanguage: null,
  usualTask: 'transcribe',
  secondsMax: 60,
  alignment: { heads: [{ output: 'cross_attentions.0', head: 0 }], medianWidth: 3 },
};
const english: WhisperFiles = { ...files, tokens: { ...files.tokens, multilingual: null } };
const wish = async (parameters: Record<string, unknown>, own = files) =>
  await readDecodingWish(parameters, readOutputWish(parameters), own, async (text) =>
    Int32Array.from(text.trim().split(' '), Number),
  );
const place = { start: 0, seconds: 0.4, overlapLeft: 0, overlapRight: 0 };
const rowOf = async (parameters: Record<string, unknown>, own = files): Promise<Row> =>
  toRow({ data: Float32Array.of(1, 2, 3, 4), frames: 2, floor: -1 }, own, {
    place,
    decoding: await wish(parameters, own),
    output: readOutputWish(parameters),
    duration: 0.4,
  });
const written = (ids: readonly number[], logProb = -0.1, keptLogits = new Float32Array(40)): Written => ({
  ids,
  logProbs: new Float32Array(ids.length + 1).fill(logProb),
  reason: 'stop',
  keptLogits,
});
/** Nobody speaks. */
const silence: Float32Array<ArrayBuffer> = Float32Array.from({ length: 40 }, (_, id) => (id === 28 ? 10 : 0));
const partOf = (outcome: unknown) => (outcome as { part: WrittenWindow }).part;

describe('how a window begins', () => {
  const promptOf = async (parameters: Record<string, unknown>, own = files) => {
    const { promptIds, keepLogitsAt } = createWindowPlan(own).begin(await rowOf(parameters, own), 0);
    return { promptIds, keepLogitsAt };
  };

  it('is start, language, task, and no timestamps unless times are wanted', async () => {
    assert.deepEqual((await promptOf({ language: 'Russian' })).promptIds, [21, 23, 25, 29]);
    assert.deepEqual((await promptOf({ language: 'en-GB', task: 'translate' })).promptIds, [21, 22, 26, 29]);
    assert.deepEqual((await promptOf({ language: '<|de|>' })).promptIds, [21, 24, 25, 29]);
    for (const timed of [{ return_timestamps: true }, { response_format: 'srt' }])
      assert.deepEqual((await promptOf({ language: 'de', ...timed })).promptIds, [21, 24, 25]);
    assert.deepEqual((await promptOf({ language: 'en' }, english)).promptIds, [21, 29]);
  });

  it('has the text of before in front, and keeps the logits after the start', async () => {
    const begun = await promptOf({ language: 'de', prompt: '1 2 3 20 29 4' });
    assert.deepEqual(begun, { promptIds: [27, 1, 2, 3, 4, 21, 24, 25, 29], keepLogitsAt: 5 });
    assert.equal((await promptOf({ language: 'de' })).keepLogitsAt, 0);
  });

  it('leaves the tokens that the caller allows, in the positions that there are', async () => {
    const plan = createWindowPlan(files);
    const tokensMax = async (parameters: Record<string, unknown>) => plan.begin(await rowOf(parameters), 0).tokensMax;
    assert.equal(await tokensMax({ language: 'de' }), 12);
    assert.equal(await tokensMax({ language: 'de', max_new_tokens: 5 }), 5);
    assert.equal(await tokensMax({ max_new_tokens: 5 }), 8, 'language, task and no timestamps are written too');
    assert.equal(await tokensMax({ max_new_tokens: 500 }), 15);
  });

  it('writes the language that is likeliest, then the task, where none is given', async () => {
    const { promptIds, constrain } = createWindowPlan(files).begin(await rowOf({ task: 'translate' }), 0);
    assert.deepEqual(promptIds, [21]);
    const next = (...before: number[]) => {
      const logits = Float32Array.from({ length: 40 }, (_, id) => (id === 23 ? 3 : id === 2 ? 9 : 0));
      constrain?.(logits, before);
      return [...logits.keys()].filter((id) => logits[id] !== Number.NEGATIVE_INFINITY);
    };
    assert.deepEqual([next(), next(23), next(23, 26)], [[23], [26], [29]]);
    const allowed = next(23, 26, 29);
    assert.ok(allowed.includes(2) && !allowed.includes(5) && !allowed.includes(6));
    assert.ok(next(23, 26, 29, 2).includes(6), 'only the first token must not be it');
  });

  it('detects the language from the sound alone when there is a text of before, or a search', async () => {
    const plan = createWindowPlan(files);
    for (const parameters of [{ prompt: '1 2' }, { num_beams: 2 }]) {
      const row = await rowOf(parameters);
      assert.deepEqual(plan.begin(row, 0).promptIds, [21]);
      assert.equal(plan.begin(row, 0).tokensMax, 1);
      assert.equal(plan.finish(row, written([23]), 0), 'again');
      assert.deepEqual(plan.begin(row, 1).promptIds.slice(-4), [21, 23, 25, 29]);
      assert.equal(partOf(plan.finish(row, written([1, 2]), 1)).tokens.language, 'ru');
    }
  });
});

describe('what a window becomes', () => {
  it('has its tokens without those that were forced, its language and its figures', async () => {
    const part = partOf(createWindowPlan(files).finish(await rowOf({}), written([23, 25, 29, 1, 2]), 0));
    assert.deepEqual(part.tokens, { ...place, ids: [1, 2], language: 'ru' });
    assert.ok(Math.abs(part.avgLogProb + 0.1) < 1e-6, 'the end counts, the forced tokens do not');
    assert.ok(Math.abs(part.noSpeechProb - 1 / 40) < 1e-6);
    assert.equal(part.temperature, 0);
    assert.ok(part.compressionRatio < 1, 'a short text gets longer when packed');
  });

  it('is silence when it is unlikely and nobody seems to speak, and only then', async () => {
    const finish = async (logProb: number, kept: Float32Array<ArrayBuffer>, parameters = {}) =>
      partOf(
        createWindowPlan(files).finish(
          await rowOf({ language: 'de', ...parameters }),
          written([1, 2], logProb, kept),
          0,
        ),
      ).tokens.ids;
    assert.deepEqual(await finish(-2, silence), []);
    assert.deepEqual(await finish(-0.5, silence), [1, 2]);
    assert.deepEqual(await finish(-2, new Float32Array(40)), [1, 2]);
    assert.deepEqual(await finish(-2, silence, { no_speech_threshold: 1 }), [1, 2]);
  });

  it('is written again at the next temperature when it is unlikely or repeats itself, as long as there is one', async () => {
    const plan = createWindowPlan(files);
    const row = await rowOf({ language: 'de', temperature: [0, 0.4] });
    const stuck = written(new Array(12).fill(7));
    assert.deepEqual(
      [0, 1].map((attempt) => plan.begin(row, attempt).sampling.temperature),
      [0, 0.4],
    );
    assert.equal(plan.finish(row, written([1], -2), 0), 'again');
    assert.equal(plan.finish(row, stuck, 0), 'again');
    assert.equal(partOf(plan.finish(row, written([1]), 0)).temperature, 0);
    assert.equal(partOf(plan.finish(row, stuck, 1)).temperature, 0.4);
    assert.deepEqual(
      partOf(plan.finish(row, written([1], -2, silence), 0)).tokens.ids,
      [],
      'silence needs no other try',
    );
    assert.equal(partOf(plan.finish(await rowOf({ language: 'de' }), stuck, 0)).temperature, 0, 'one is enough');
  });

  it('is looked back on when words are to be timed, save where nothing is said', async () => {
    const plan = createWindowPlan(files);
    const row = await rowOf({ language: 'de', return_timestamps: 'word' });
    const review = plan.finish(row, written([30, 1, 2]), 0) as Review;
    assert.deepEqual(review.ids, [21, 24, 25, 30, 1, 2]);
    assert.deepEqual(partOf(plan.finish(row, written([30, 1, 2], -2, silence), 0)).tokens.ids, []);
    const untimed = plan.finish(await rowOf({ language: 'de', return_timestamps: true }), written([30, 1, 2]), 0);
    assert.ok(!('conclude' in (untimed as object)));
  });

  it('is a problem when the model gave no numbers', async () => {
    const outcome = createWindowPlan(files).finish(
      await rowOf({}),
      written([1], 0, new Float32Array(40).fill(Number.NaN)),
      0,
    );
    assert.match(JSON.stringify(outcome), /non-finite-output/);
  });
});

describe('features of a call', () => {
  it('are those of each row, followed by its silence', async () => {
    const rows = [await rowOf({}), await rowOf({ language: 'de' })];
    const features = createWindowPlan(files).collate(rows)['input_features'];
    assert.deepEqual(features?.dims, [2, 2, 4]);
    assert.deepEqual([...(features?.data ?? [])].slice(8), [1, 2, -1, -1, 3, 4, -1, -1]);
    assert.equal(rows[0]?.shapeKey, rows[1]?.shapeKey, 'languages and wishes share calls');
  });
});

describe('what a caller may ask of Whisper', () => {
  const refuses = async (parameters: Record<string, unknown>, detail: RegExp, own = files) =>
    await assert.rejects(wish(parameters, own), (error) => {
      assert.ok(error instanceof Problem && error.slug === 'validation-failed');
      assert.match(error.detail, detail);
      assert.equal(error.errors?.[0]?.pointer, `/parameters/${Object.keys(parameters).at(-1)}`);
      return true;
    });

  it('is refused by name where the model can not do it', async () => {
    await refuses({ language: 'klingon' }, /does not know the language "klingon". It knows en, ru, de\./);
    await refuses({ language: 'fr' }, /hears English only, not "fr"/, english);
    await refuses({ task: 'translate' }, /does not translate/, english);
    await refuses({ return_timestamps: 'char' }, /no times of characters/);
    await refuses({ return_timestamps: 'word' }, /not of words: no heads\. Or ask for/, {
      ...files,
      alignment: { fault: 'no heads' },
    });
  });

  it('is what the checkpoint was made for when nothing is said', async () => {
    const own: WhisperFiles = { ...files, usualLanguage: 'ru', usualTask: 'translate' };
    const { language, task } = await wish({}, own);
    assert.deepEqual({ language, task }, { language: 'ru', task: 'translate' });
    assert.deepEqual((await wish({ language: 'German', task: 'transcribe' }, own)).language, 'de');
  });
});
