/**
 * Bytes -> JSON value, with everything refused that would only hurt later: deep nesting (breaks JSON.stringify), keys
 * that reach prototypes, numbers that JavaScript changes, texts that are not Unicode. Never echoes what was sent.
 */
import { isUtf8 } from 'node:buffer';
import { Problem } from '../../shared/problems/problem.ts';

const depthMax = 32;
const valuesMax = 250_000;
const forbiddenKeys = new Set(['__proto__', 'constructor', 'prototype']);

/** Throws empty-body, malformed-json, too-deep, forbidden-key, invalid-unicode, non-finite, unsafe-integer. `at` prefixes pointers. */
export function parseJson(bytes: Buffer): unknown {
  if (bytes.length === 0) throw new Problem('empty-body', 'The body is empty. Send a JSON object.');
  checkValueCount(bytes);
  if (!isUtf8(bytes)) throw new Problem('malformed-json', 'The body is not UTF-8.');
  return parseJsonText(bytes.toString('utf8'));
}

/**
 * Bounds the values of a body before it is parsed: 16 MiB of `0,` held the event loop for 1.5 s, 16 MiB of base64 does not
 * matter. Counts separators wherever they stand, so a text may be counted too high: one with a quarter of a million commas.
 */
function checkValueCount(bytes: Buffer): void {
  if (bytes.length <= 2 * valuesMax) return;
  let values = 0;
  for (const byte of bytes) if (byte === 0x2c || byte === 0x7b || byte === 0x5b) values++;
  if (values > valuesMax)
    throw new Problem('payload-too-large', `The JSON has over ${valuesMax} values. Send media as base64 or as a form.`);
}

export function parseJsonText(text: string, at = ''): unknown {
  let value: unknown;
  try {
    // RFC 8259 lets a parser ignore a byte order mark.
    value = JSON.parse(text.charCodeAt(0) === 0xfeff ? text.slice(1) : text);
  } catch (error) {
    throw new Problem('malformed-json', `This is not JSON${placeOf(error, text)}.`, {
      ...(at && { errors: [{ pointer: at, detail: 'This field is not JSON.' }] }),
    });
  }
  checkValue(value, at, 1);
  return value;
}

/** V8's messages quote the input; only the position is passed on. */
function placeOf(error: unknown, text: string): string {
  const message = (error as Error).message;
  const position = /at position (\d+)/.exec(message)?.[1];
  if (position !== undefined) {
    const before = text.slice(0, Number(position));
    const line = before.split('\n').length;
    return `: line ${line}, column ${before.length - before.lastIndexOf('\n')}`;
  }
  return /end of JSON input|Unterminated/i.test(message) ? ': it ends too early' : '';
}

function checkValue(value: unknown, pointer: string, depth: number): void {
  if (typeof value === 'string') checkText(value, pointer);
  else if (typeof value === 'number') checkNumber(value, pointer);
  else if (typeof value === 'object' && value !== null) {
    if (depth > depthMax) throw new Problem('too-deep', `The JSON is nested deeper than ${depthMax} levels.`);
    if (Array.isArray(value)) for (let i = 0; i < value.length; i++) checkValue(value[i], `${pointer}/${i}`, depth + 1);
    else checkObject(value as Record<string, unknown>, pointer, depth);
  }
}

function checkObject(value: Record<string, unknown>, pointer: string, depth: number): void {
  for (const key of Object.keys(value)) {
    if (forbiddenKeys.has(key)) {
      throw new Problem('forbidden-key', `The JSON has a key named "${key}".`);
    }
    checkText(key, pointer);
    checkValue(value[key], `${pointer}/${escapePointer(key)}`, depth + 1);
  }
}

/** Throws `invalid-unicode`. */
export function checkText(text: string, pointer: string): void {
  if (text.isWellFormed() && !text.includes('\u0000')) return;
  const detail = 'The text holds a lone surrogate or a NUL character.';
  throw new Problem('invalid-unicode', detail, { errors: [{ pointer, detail }] });
}

function checkNumber(value: number, pointer: string): void {
  if (!Number.isFinite(value)) {
    const detail = 'The number is too large for a double: it would be infinity.';
    throw new Problem('non-finite', detail, { errors: [{ pointer, detail }] });
  }
  if (Number.isInteger(value) && !Number.isSafeInteger(value)) {
    const detail = 'The integer passes 2^53: it would be rounded.';
    throw new Problem('unsafe-integer', detail, { errors: [{ pointer, detail }] });
  }
}

/** RFC 6901; long keys are cut, since a pointer is for people. */
export function escapePointer(key: string): string {
  return key.slice(0, 100).replaceAll('~', '~0').replaceAll('/', '~1');
}
