import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { decodeOutput, encodeOutput, outputToJson } from './output-codec.ts';

const float = fc.float({ noNaN: true, noDefaultInfinity: true });
const small = fc.float({ noNaN: true, min: -1, max: 1 });
const vector = fc.array(fc.oneof(small, small, float), { maxLength: 40 }).map((numbers) => Float32Array.from(numbers));

/** -0 reads as 0 from JSON text, and the two ways to write a number may differ in letters. */
const plain = (value: unknown): unknown => JSON.parse(JSON.stringify(value));

test('the text of an output says what the output is, whatever its numbers', () => {
  fc.assert(
    fc.property(fc.oneof(vector, fc.array(vector), fc.jsonValue()), (output) => {
      const stored: unknown = JSON.parse(encodeOutput(output));
      assert.deepEqual(plain(JSON.parse(outputToJson(stored))), plain(decodeOutput(stored)));
    }),
  );
});

test('writes the edges of a fraction: nothing, the smallest, the largest below 1, trailing zeros, long vectors', () => {
  const edges = [0, -0, 1e-8, -1e-8, 4e-9, 0.5, -0.25, 0.99999994, 0.1];
  const stored: unknown = JSON.parse(encodeOutput(Float32Array.from(edges)));
  assert.equal(outputToJson(stored), '[0,0,0.00000001,-0.00000001,0,0.5,-0.25,0.99999994,0.1]');
  const long = Float32Array.from({ length: 4096 }, (_, i) => Math.sin(i));
  const longStored: unknown = JSON.parse(encodeOutput([{ index: 0, output: long }]));
  assert.deepEqual(JSON.parse(outputToJson(longStored)), decodeOutput(longStored));
});
