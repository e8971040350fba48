/**
 * When two requests are the same: the Idempotency-Key as a hash (raw keys would meet Redis keys and logs), and the body
 * as one over its fields in canonical order and its files' digests, however it was sent. Pure.
 */
import { createHash, hash } from 'node:crypto';
import { Problem } from '../../shared/problems/problem.ts';
import type { JobFields } from './job-fields.ts';

/** SHA-256 of the key, or undefined without one. Throws `invalid-idempotency-key`. */
export function hashKey(key: string | undefined): string | undefined {
  if (key === undefined) return undefined;
  if (!/^[\x20-\x7e]{1,255}$/.test(key)) {
    throw new Problem('invalid-idempotency-key', 'The Idempotency-Key must be 1 to 255 printable ASCII characters.');
  }
  return hash('sha256', key, 'base64url');
}

/** `prints` are the items' own digests, in order. How long the caller waits is no part of what it asks for. */
export function hashBody(fields: JobFields, isList: boolean, prints: readonly string[]): string {
  const { input, inputs, cancel_on_disconnect, ...rest } = fields;
  const digest = createHash('sha256')
    .update(canonicalJson(rest))
    .update(isList ? '[' : '.');
  for (const print of prints) digest.update(`\n${print}`);
  return digest.digest('base64url');
}

/** JSON with keys in order, so that the order in which a client writes them does not matter. */
export function canonicalJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(',')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value) ?? 'null';
  const entries = Object.entries(value).filter(([, member]) => member !== undefined);
  entries.sort(([a], [b]) => (a < b ? -1 : 1));
  return `{${entries.map(([key, member]) => `${JSON.stringify(key)}:${canonicalJson(member)}`).join(',')}}`;
}
