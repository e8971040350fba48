/**
 * What the reference made of each input, as reference/export.py wrote it beside an export. Test code only.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

export interface Numbers {
  readonly dims: readonly number[];
  readonly data: readonly number[];
}

/** One token that the reference wrote. */
export interface Step {
  readonly id: number;
  readonly logProb: number;
  /** How far it was ahead of the next best, in probability. */
  readonly margin: number;
}

export interface ParityCase {
  readonly input: string | { readonly file: string } | Readonly<Record<string, unknown>>;
  readonly parameters: Readonly<Record<string, unknown>>;
  /** As transformers' pipeline gives it. */
  readonly output?: unknown;
  /** What the model gave before anything was chosen; for vectors and rankings, the answer itself. */
  readonly logits?: Numbers;
  /** How far the best of two was ahead where a choice was made. */
  readonly margin?: number;
  /** Of models that write token by token, instead of logits. */
  readonly steps?: readonly Step[];
}

export interface Expected {
  readonly task: string;
  readonly cases: readonly ParityCase[];
}

/** Exports of small shape, kept in the repository, and the media that every export is asked about. */
export const fixturesFolder = join(import.meta.dirname, 'fixtures');
export const smallModels = join(fixturesFolder, 'models');
/** Exports of true shape, each in a folder of its own: there after `npm run parity -- <id>`. */
export const trueModels = join(import.meta.dirname, '../../.millrace/parity/models');

export const logitsTolerance = 1e-4;
/** Below this the reference's own choice is a toss-up. */
export const marginMin = 1e-3;

export function listModels(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => name)
    .sort();
}

export function readExpected(folder: string, id: string): Expected {
  return JSON.parse(readFileSync(join(folder, id, 'expected.json'), 'utf8')) as Expected;
}

export function mediaPath(input: ParityCase['input']): string | null {
  if (typeof input !== 'object' || typeof input['file'] !== 'string') return null;
  return join(fixturesFolder, 'media', input['file']);
}

/** Greatest difference; infinite when there are not as many. */
export function errorOf(actual: ArrayLike<number>, expected: ArrayLike<number>): number {
  if (actual.length !== expected.length) return Number.POSITIVE_INFINITY;
  let most = 0;
  for (let at = 0; at < expected.length; at++) {
    const error = Math.abs((actual[at] ?? Number.NaN) - (expected[at] ?? Number.NaN));
    if (!(error <= most)) most = Number.isNaN(error) ? Number.POSITIVE_INFINITY : error;
  }
  return most;
}
