/** What the demo decides and shows, without a system: expectations, neighbours, and outputs in readable form. */
import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { test } from 'node:test';
import { createPaint } from '../terminal/paint.ts';
import { addDemoModels, assetsFolder } from './demo-models.ts';
import { matchesExpectation } from './matches-expectation.ts';
import { renderInput, renderOutput, renderTimes } from './render-output.ts';
import { collectSamples } from './samples.ts';

const plain = createPaint(false, {});

test('an expectation is met by more than it asks for, and by scores within two per cent', () => {
  const spans = [{ entity_group: 'BRAND', score: 0.981, word: 'x', start: 0, end: 1 }];
  for (const [actual, expected] of [
    [spans, [{ entity_group: 'BRAND', score: 0.99 }]],
    [{ text: 'one two', chunks: [] }, { text: 'one two' }],
    [
      [0.1, 0.2, 0.3],
      [0.1, 0.2],
    ],
    ['a', 'a'],
    [null, null],
  ]) {
    assert.ok(matchesExpectation(actual, expected), JSON.stringify(expected));
  }
});

test('an expectation is missed by another word, a missing entry, a far score or nothing at all', () => {
  for (const [actual, expected] of [
    [[{ label: 'cat' }], [{ label: 'dog' }]],
    [[], [{ label: 'dog' }]],
    [[{ label: 'dog', score: 0.5 }], [{ label: 'dog', score: 0.9 }]],
    [null, { text: 'one' }],
    ['1', 1],
    [{ text: 'one' }, ['one']],
  ]) {
    assert.ok(!matchesExpectation(actual, expected), JSON.stringify({ actual, expected }));
  }
});

test('spans are marked at their code points, also after an emoji', () => {
  const output = [
    { entity_group: 'TYPE', score: 1, word: 'milk', start: 2, end: 6 },
    { entity_group: 'BRAND', score: 1, word: '№1', start: 7, end: 9 },
  ];
  assert.deepEqual(renderOutput(output, { text: '🥛 milk №1 !' }, plain), ['🥛 [milk]TYPE [№1]BRAND !']);
});

test('labels are bars, speech is a quotation, vectors are their first numbers, and what is unknown is JSON', () => {
  const labels = [
    { label: 'cat', score: 0.75 },
    { label: 'tabby', score: 0.25 },
  ];
  const bars = renderOutput(labels, { file: 'x.jpg' }, plain);
  assert.match(bars[0] ?? '', /^cat {3}█{18}·{6} 75\.0 %$/);
  assert.match(bars[1] ?? '', /^tabby █{6}·{18} 25\.0 %$/);
  assert.deepEqual(renderOutput({ text: 'one two' }, { file: 'x.wav' }, plain), ['"one two"']);
  assert.deepEqual(renderOutput({ generated_text: 'start\nend' }, { file: 'x.png' }, plain), ['start', 'end']);
  assert.deepEqual(renderOutput([0.5, 0.25, 0, 1, 2], { text: 'x' }, plain), [
    '5 numbers: 0.5000, 0.2500, 0.0000, 1.0000, ...',
  ]);
  assert.deepEqual(renderOutput({ odd: 1 }, { text: 'x' }, plain), ['{"odd":1}']);
  assert.deepEqual(renderOutput([], { text: 'x' }, plain), ['[]']);
});

test('places of a ranking are shown with what stands there in the list that was sent', () => {
  const input = { value: { query: 'which?', documents: ['this', 'that'] } };
  const output = [
    { index: 1, score: 0.9 },
    { index: 0, score: 0.1 },
  ];
  assert.equal(renderInput(input), 'which?  (among 2)');
  assert.deepEqual(renderOutput(output, input, plain), ['  0.900  that', '  0.100  this']);
});

test('times are in milliseconds, and what is not known is left out', () => {
  const metrics = {
    queue_seconds: 0.0031,
    prepare_seconds: null,
    compute_seconds: 0.0124,
    total_seconds: 0.0202,
    batch_rows: 2,
  };
  assert.equal(renderTimes(metrics), 'queue 3.1 ms · batch of 2 · compute 12 ms · total 20 ms');
});

test('models beside the repository are linked for the demo, unless the caller names a folder', {
  skip: !assetsFolder({}) && 'no ../shared/assets',
}, () => {
  const dataDir = mkdtempSync(join(tmpdir(), 'millrace-demo-'));
  try {
    assert.equal(addDemoModels({ MODELS_DIR: '/models', MILLRACE_DATA: dataDir })['MODELS_DIR'], '/models');
    for (let run = 0; run < 2; run += 1) {
      const [own, linked = ''] = (addDemoModels({ MILLRACE_DATA: dataDir })['MODELS_DIR'] ?? '').split(delimiter);
      assert.equal(own, join(dataDir, 'models'), 'what the user pulled is served too');
      assert.deepEqual(readdirSync(linked).sort(), ['all-MiniLM-L6-v2', 'mobilenet_v2_1.0_224']);
    }
  } finally {
    rmSync(dataDir, { recursive: true, force: true });
  }
});

test('dropped-in models get the samples that the demo brings', {
  skip: !assetsFolder({}) && 'no ../shared/assets',
}, async () => {
  const samples = await collectSamples([join(assetsFolder({}) ?? '', 'models/imagenet')], assetsFolder({}));
  const [sample] = samples.get('mobilenet_v2_1.0_224') ?? [];
  assert.deepEqual(sample?.expect, [{ label: 'cheeseburger' }]);
});
