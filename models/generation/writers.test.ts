import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { SequenceStart } from '../task.ts';
import { BeamWriter } from './beam-writer.ts';
import { ChunkSize } from './chunk-size.ts';
import { constraintOf, repeatsOf } from './logits-rules.ts';
import { logProbability, pickToken, randomAt } from './pick-token.ts';
import { readDefaults, readPositionsMax } from './read-defaults.ts';
import { SingleWriter, type Writer } from './writer.ts';

const start = (extra: Partial<SequenceStart> = {}): SequenceStart => ({
  promptIds: [0],
  tokensMax: 3,
  stopIds: [2],
  sampling: { temperature: 0 },
  ...extra,
});
/** A model of three words whose logits depend on all that was written. */
const logitsAfter = (ids: readonly number[]) =>
  Float32Array.from(
    { length: 3 },
    (_, id) => 3 * Math.sin(1 + ids.reduce((sum, each, at) => sum + (at + 1) * (each + 1), id * 2.7)),
  );

function writeWith(writer: Writer): Writer['written'] {
  let lines: number[][] = Array.from({ length: writer.width }, () => []);
  for (;;) {
    const next = writer.take(lines.map(logitsAfter));
    if (next === null) return writer.written;
    lines = next.ids.map((id, beam) => [...(lines[next.from[beam] as number] as number[]), id]);
  }
}

describe('picking a token', () => {
  it('takes the likeliest, or tells that there is none', () => {
    assert.equal(pickToken(Float32Array.of(1, 3, 2), { temperature: 0 }, 0), 1);
    assert.equal(pickToken(Float32Array.of(1, Number.NaN, 2), { temperature: 0 }, 0), -1);
    assert.equal(pickToken(new Float32Array(3).fill(Number.NEGATIVE_INFINITY), { temperature: 1 }, 0), -1);
  });

  it('draws as often as the probabilities say, among the top-k and the top-p alone', () => {
    const logits = Float32Array.from([0.5, 0.3, 0.15, 0.05], Math.log);
    const shares = (sampling: object) => {
      const counts = [0, 0, 0, 0];
      for (let seed = 0; seed < 20_000; seed++) {
        const id = pickToken(logits, { temperature: 1, seed, ...sampling }, 7);
        counts[id] = (counts[id] as number) + 1 / 20_000;
      }
      return counts;
    };
    for (const [id, share] of [0.5, 0.3, 0.15, 0.05].entries())
      assert.ok(Math.abs((shares({})[id] as number) - share) <= 0.02);
    assert.deepEqual(shares({ topK: 2 }).slice(2), [0, 0]);
    assert.deepEqual(shares({ topP: 0.7 }).slice(2), [0, 0]);
    assert.ok(Math.abs((shares({ topK: 2 })[0] as number) - 0.62) <= 0.02);
  });

  it('is even over seeds and over positions', () => {
    for (const draw of [(i: number) => randomAt(i, 3), (i: number) => randomAt(3, i)]) {
      const tenths = new Array<number>(10).fill(0);
      for (let i = 0; i < 10_000; i++) tenths[Math.floor(10 * draw(i))] = (tenths[Math.floor(10 * draw(i))] ?? 0) + 1;
      assert.ok(
        tenths.every((count) => count > 900 && count < 1100),
        `${tenths}`,
      );
    }
  });
});

describe('a writer', () => {
  it('ends at a stop token, at the longest, or when the text says so', () => {
    assert.equal(writeWith(new SingleWriter(start({ stopIds: [] })))?.reason, 'length');
    const long = writeWith(new SingleWriter(start({ stopIds: [], tokensMax: 9 })));
    const second = long?.ids[1];
    const early = start({ stopIds: [], tokensMax: 9, endsEarly: (ids) => ids.at(-1) === second && ids.length > 1 });
    assert.deepEqual(writeWith(new SingleWriter(early))?.ids, long?.ids.slice(0, 2));
    const first = long?.ids[0] as number;
    const stopped = writeWith(new SingleWriter(start({ stopIds: [first] })));
    assert.deepEqual([stopped?.reason, stopped?.ids, stopped?.logProbs.length], ['stop', [], 1]);
  });

  it('tells the log-probability of each token after its constraints', () => {
    const ban = (logits: Float32Array) => logits.fill(Number.NEGATIVE_INFINITY, 0, 1);
    const written = writeWith(new SingleWriter(start({ stopIds: [], tokensMax: 1, constrain: ban })));
    const logits = logitsAfter([]);
    logits[0] = Number.NEGATIVE_INFINITY;
    assert.ok(Math.abs((written?.logProbs[0] as number) - logProbability(logits, written?.ids[0] as number)) < 1e-6);
  });
});

describe('a beam search', () => {
  /** Every text of up to three tokens, by its score. */
  function best(lengthPenalty: number) {
    const all: { ids: number[]; score: number }[] = [];
    const grow = (ids: number[], sum: number) => {
      for (let id = 0; id < 3; id++) {
        const total = sum + logProbability(logitsAfter(ids), id);
        const length = ids.length + 1;
        if (id === 2 || length === 3)
          all.push({ ids: id === 2 ? ids : [...ids, id], score: total / length ** lengthPenalty });
        else grow([...ids, id], total);
      }
    };
    grow([], 0);
    return all.sort((a, b) => b.score - a.score)[0]?.ids;
  }

  it('finds the best text of all when it is wide enough to see each', () => {
    for (const lengthPenalty of [0, 1, 2, -1]) {
      const writer = new BeamWriter(start({ sampling: { temperature: 0, beams: 4, lengthPenalty } }));
      assert.deepEqual(writeWith(writer)?.ids, best(lengthPenalty), `penalty ${lengthPenalty}`);
    }
  });

  it('is the likeliest token each time when it is narrow', () => {
    const beam = writeWith(
      new BeamWriter(start({ stopIds: [], tokensMax: 9, sampling: { temperature: 0, beams: 1 } })),
    );
    assert.deepEqual(beam?.ids, writeWith(new SingleWriter(start({ stopIds: [], tokensMax: 9 })))?.ids);
  });
});

describe('the rules of a generation config', () => {
  const rules = readDefaults({ decoder_start_token_id: 1 }).rules;
  const around = { promptIds: [1], stopIds: [2], tokensMax: 5 };
  const applied = (own: object, written: readonly number[]) => {
    const logits = Float32Array.of(1, 1, 1, 1);
    constraintOf({ ...rules, ...own }, around)?.(logits, written);
    return [...logits];
  };
  const no = Number.NEGATIVE_INFINITY;

  it('are nothing at all where it asks for none', () => {
    assert.equal(constraintOf(rules, around), undefined);
  });

  it('forbid and force tokens where they should', () => {
    assert.deepEqual(applied({ suppressed: [3], suppressedAtBegin: [0] }, []), [no, 1, 1, no]);
    assert.deepEqual(applied({ suppressed: [3], suppressedAtBegin: [0] }, [1]), [1, 1, 1, no]);
    assert.deepEqual(applied({ tokensMin: 2 }, [3]), [1, 1, no, 1]);
    assert.deepEqual(applied({ tokensMin: 2 }, [3, 3]), [1, 1, 1, 1]);
    assert.deepEqual(applied({ forcedFirst: 3 }, []), [no, no, no, 0]);
    assert.deepEqual(applied({ forcedLast: [2] }, [3, 3, 3, 3]), [no, no, 0, no]);
    assert.deepEqual(applied({ repetitionPenalty: 2 }, [3]), [1, 0.5, 1, 0.5]);
  });

  it('forbid n-grams from coming twice', () => {
    assert.deepEqual(repeatsOf([5, 6, 7, 5, 6], 3), [7]);
    assert.deepEqual(repeatsOf([5, 6], 1), [5, 6]);
    assert.deepEqual(repeatsOf([5], 3), []);
    assert.deepEqual(applied({ noRepeatNgram: 2 }, [3, 1]), [1, 1, 1, no]);
  });

  it('are read with lengths, beams and positions', () => {
    const read = readDefaults({
      decoder_start_token_id: 1,
      eos_token_id: [2, 3],
      max_length: 20,
      num_beams: 4,
      early_stopping: true,
    });
    assert.deepEqual([read.stopIds, read.tokensMax], [[2, 3], 19]);
    assert.deepEqual(read.sampling, { temperature: 0, beams: 4, lengthPenalty: 1, earlyStopping: true });
    assert.equal(readPositionsMax({ decoder: { max_position_embeddings: 512 } }), 512);
    assert.throws(() => readPositionsMax({}), /max_position_embeddings/);
    assert.throws(() => readDefaults({}), /decoder_start_token_id/);
  });
});

describe('the size of an encoder chunk', () => {
  const found = (msOf: (size: number) => number, budgetMs: number) => {
    const sizes = new ChunkSize();
    for (let i = 0; i < 50; i++) {
      const size = sizes.choose(16, budgetMs);
      sizes.observe(size, msOf(size));
    }
    return sizes.choose(16, budgetMs);
  };

  it('is one where company does not pay, and large where it does', () => {
    assert.equal(
      found((size) => 10 * size ** 1.1, 1000),
      1,
    );
    assert.equal(
      found((size) => 10 + size, 1000),
      16,
    );
  });

  it('keeps within the budget, unless one row alone passes it', () => {
    assert.ok(found((size) => 10 + size, 25) <= 8);
    assert.equal(
      found((size) => 100 + size, 25),
      1,
    );
  });
});
