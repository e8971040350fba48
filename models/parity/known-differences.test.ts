import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type KnownDifference, settleKnown } from './known-differences.ts';

const listed: KnownDifference[] = [
  { model: 'm', input: 'a b', parameter: 'way', values: ['first', 'max'], reason: '' },
];
const judged = (way: string, ...faults: string[]) => ({ expected: { input: 'a b', parameters: { way } }, faults });

describe('differences that are known', () => {
  it('are counted, and no fault, where they are found as listed', () => {
    const cases = [judged('none'), judged('first', 'spans'), judged('max', 'spans')];
    assert.deepEqual(settleKnown('m', cases, listed), { faults: [], known: 2 });
  });

  it('are a fault where a case differs that is not listed, of this model or this text', () => {
    const other = [judged('none', 'spans')];
    assert.deepEqual(settleKnown('m', other, listed), { faults: ['case 0: spans'], known: 0 });
    assert.deepEqual(settleKnown('n', [judged('max', 'spans')], listed), { faults: ['case 0: spans'], known: 0 });
    const text = { expected: { input: 'b', parameters: { way: 'max' } }, faults: ['spans'] };
    assert.deepEqual(settleKnown('m', [text], listed), { faults: ['case 0: spans'], known: 0 });
  });

  it('are a fault where a listed case is as the reference has it', () => {
    assert.match(settleKnown('m', [judged('first')], listed).faults[0] ?? '', /case 0: is as the reference has it/);
  });
});
