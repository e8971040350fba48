/** Pairs of sentences that people judged, and how well a model's cosines put them in the same order. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { rankByCosine } from '../../models/numeric/rank-by-cosine.ts';
import { assetsFolder } from '../../shared/testing/assets.ts';
import { submitItems } from '../system/submit-items.ts';

/** Where the pairs lie, for `skipWithoutAssets`. */
export const pairsFolder = 'similarity/stsb-multi-mt';

interface Pair {
  readonly first: string;
  readonly second: string;
  readonly score: number;
}

/**
 * Spearman's rank correlation of a served model's cosines with the judgements of STS-B dev: of its 1,500 pairs the first of
 * every `step`.
 */
export async function correlatePairs(
  url: string,
  model: string,
  { language, step }: { readonly language: 'en' | 'ru'; readonly step: number },
): Promise<number> {
  const all = readPairs(join(assetsFolder(), pairsFolder, `stsb-${language}-dev.csv`));
  assert.equal(all.length, 1500);
  const pairs = all.filter((_, index) => index % step === 0);
  const texts = pairs.flatMap(({ first, second }) => [first, second]);
  const answers = await submitItems<number[]>(url, model, texts);
  const vectors = answers.map(({ output = [] }) => output);
  const alike = pairs.map((_, i) => rankByCosine(vectors[2 * i] ?? [], [vectors[2 * i + 1] ?? []])[0]?.cosine ?? 0);
  return spearman(
    alike,
    pairs.map(({ score }) => score),
  );
}

/** Fields may be quoted, with quotes doubled; none holds a line break. */
function readPairs(path: string): Pair[] {
  const lines = readFileSync(path, 'utf8').trim().split(/\r?\n/);
  return lines.map((line) => {
    const fields = Array.from(line.matchAll(/(?:^|,)(?:"((?:[^"]|"")*)"|([^,]*))/g), ([, quoted, plain = '']) =>
      quoted === undefined ? plain : quoted.replaceAll('""', '"'),
    );
    assert.equal(fields.length, 3, line);
    return { first: fields[0] ?? '', second: fields[1] ?? '', score: Number(fields[2]) };
  });
}

function spearman(a: readonly number[], b: readonly number[]): number {
  const [x, y] = [ranks(a), ranks(b)];
  const mean = (a.length + 1) / 2;
  const product = (p: readonly number[], q: readonly number[]) =>
    p.reduce((sum, value, i) => sum + (value - mean) * ((q[i] ?? 0) - mean), 0);
  return product(x, y) / Math.sqrt(product(x, x) * product(y, y));
}

/** From 1; equals share the mean of their ranks. */
function ranks(values: readonly number[]): number[] {
  const order = values.map((_, i) => i).sort((i, j) => (values[i] ?? 0) - (values[j] ?? 0));
  const found = new Array<number>(values.length).fill(0);
  for (let from = 0; from < order.length; ) {
    let to = from;
    while (to < order.length && values[order[to] ?? 0] === values[order[from] ?? 0]) to += 1;
    for (const i of order.slice(from, to)) found[i] = (from + to + 1) / 2;
    from = to;
  }
  return found;
}
