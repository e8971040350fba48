import assert from 'node:assert/strict';
import { test } from 'node:test';
import { byteOfCharacter } from './byte-alphabet.ts';

test('has one character for each byte: itself when printable, else the next from U+0100 on', () => {
  assert.equal(new Set(byteOfCharacter.values()).size, 256);
  const known = { '!': 0x21, ÿ: 0xff, Ā: 0x00, Ċ: 0x0a, Ġ: 0x20, ġ: 0x7f, Ń: 0xad };
  for (const [character, byte] of Object.entries(known)) assert.equal(byteOfCharacter.get(character), byte, character);
});
