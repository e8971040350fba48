/**
 * The text of an item, for text tasks.
 */
import { Problem } from '../../shared/problems/problem.ts';
import type { PreparedSource } from '../task.ts';

export function textOf(source: PreparedSource): string {
  if (source.kind === 'text') return source.text;
  if (source.kind === 'json') throw new Problem('validation-failed', 'This task takes a text, not an object.');
  throw new Problem('unsupported-file-type', 'This task takes text, not a file. Send the text as `input`.');
}
