import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { readCharsmap } from './charsmap.ts';
import { precompiled } from './precompiled.ts';

/**
 * A table as sentencepiece compiles it: units of Darts and texts. Two bytes of one letter suffice to walk it: "x" becomes
 * "yz", all else stays.
 */
function table(): Buffer {
  const [x, root, leaf] = [0x78, 0x100, 0x200];
  const units = new Uint32Array(1024);
  units[0] = root << 10;
  // Its label, a value that hangs on it, and where that value is.
  units[root ^ x] = ((root ^ x ^ leaf) << 10) | 0x100 | x;
  units[leaf] = 0x80000000 | 2;
  const size = Buffer.alloc(4);
  size.writeUInt32LE(units.byteLength);
  return Buffer.concat([size, Buffer.from(units.buffer), Buffer.from('q\0yz\0')]);
}

describe("sentencepiece's table", () => {
  it('is read from units and texts', () => {
    const lookUp = readCharsmap(table());
    assert.equal(lookUp('x'), 'yz');
    assert.equal(lookUp('w'), null);
    assert.equal(lookUp('\0'), null);
  });

  it('replaces a grapheme that begins with what it has, and looks up the letters of a longer one', () => {
    const { apply } = precompiled(table().toString('base64'));
    assert.equal(apply('axb'), 'ayzb');
    assert.equal(apply('x\u0301'), 'yz');
    assert.equal(apply('x\u0301\u0302\u0303'), 'yz\u0301\u0302\u0303');
  });

  it('changes nothing where there is none, and is refused where it is cut off', () => {
    assert.equal(precompiled('').apply('x ﬁ'), 'x ﬁ');
    assert.throws(() => readCharsmap(table().subarray(0, 40)), /precompiled_charsmap .* is no table .* \(40 bytes\)/);
    assert.throws(() => readCharsmap(Buffer.from('ab')), /no table/);
  });
});
