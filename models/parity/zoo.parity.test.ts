import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { rankByCosine } from '../numeric/rank-by-cosine.ts';
import type { Nearest } from '../repository/model-files.ts';
import { scanRepository } from '../repository/scan-repository.ts';
import { verifyFiles } from '../repository/verify-files.ts';
import { partOf, type RunningModel, sourceOf, startModel } from './run-model.ts';

const zoo = join(import.meta.dirname, '..', 'zoo');
const { models, broken } = await scanRepository([zoo]);

/** Objects by the keys that are expected, numbers to a hundredth (scores move in the fifth decimal), the rest exactly. */
function assertLike(actual: unknown, expected: unknown, at = 'output'): void {
  if (typeof expected === 'number' && typeof actual === 'number') {
    assert.ok(Math.abs(actual - expected) <= 0.01 || Number.isNaN(expected), `${at}: ${actual}, expected ${expected}`);
  } else if (Array.isArray(expected)) {
    assert.ok(Array.isArray(actual), `${at} is a list`);
    assert.equal(actual.length, expected.length, `${at}: ${JSON.stringify(actual)}`);
    for (const [index, value] of expected.entries()) assertLike(actual[index], value, `${at}[${index}]`);
  } else if (typeof expected === 'object' && expected !== null) {
    for (const [key, value] of Object.entries(expected))
      assertLike((actual as Record<string, unknown>)?.[key], value, `${at}.${key}`);
  } else assert.deepEqual(actual, expected, at);
}

async function assertNearest(model: RunningModel, output: unknown, { among, expect }: Nearest): Promise<void> {
  const others = [];
  for (const text of among) others.push(Array.from((await model.answer({ kind: 'text', text })) as Float32Array));
  const [nearest] = rankByCosine(Array.from(output as Float32Array), others);
  assert.equal(among[nearest?.index ?? -1], expect);
}

describe('the zoo', () => {
  it('holds no broken model', () => {
    assert.deepEqual(broken, []);
  });

  for (const files of models) {
    it(`gives for each sample of ${files.id} what its manifest expects`, async () => {
      await verifyFiles(files);
      const model = await startModel(files);
      for (const outcome of await model.canary()) partOf(outcome);
      for (const sample of files.samples) {
        const output = await model.answer(sourceOf(files, sample));
        if (sample.nearest) await assertNearest(model, output, sample.nearest);
        else assertLike(output, sample.expect);
      }
    });
  }
});
