import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Figure } from '../method/report.ts';
import { drawBars, targetOf } from './bars.ts';
import { isMissed } from './write-page.ts';

const figure = (median: number, target: string): Figure => ({
  name: 'a <name>',
  ratio: { median, low: median - 0.1, high: median + 0.1, pairs: [] },
  target,
  meaning: '',
});

test('a target is read from its words, and a figure is held against it', () => {
  assert.equal(targetOf('>= 0.95'), 0.95);
  assert.equal(targetOf(''), null);
  assert.equal(isMissed(figure(0.9, '>= 0.95')), true);
  assert.equal(isMissed(figure(0.9, '<= 0.95')), false);
  assert.equal(isMissed(figure(0.9, '')), false);
});

test('a plot has a bar for each figure, brown where it misses, grey where it has no aim, and no raw angle bracket of a name', () => {
  const svg = drawBars('B1', [figure(1, '>= 0.9'), figure(0.5, '>= 0.9'), figure(9, '')]);
  assert.equal(svg.match(/#3a7d5d/g)?.length, 1);
  assert.equal(svg.match(/#b4532a/g)?.length, 1);
  assert.equal(svg.match(/#8a94a3/g)?.length, 1);
  assert.ok(!svg.includes('a <name>') && svg.includes('a &lt;name>'));
});
