/** Layouts raced in real lane processes, with a fake engine whose calls take what the threads of their lane say. */
import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { unitOf } from '../../models/repository/model-files.ts';
import { modelFiles } from '../../models/testing/model-files.ts';
import { readSettings } from '../../shared/config/settings.ts';
import { createLogger } from '../../shared/observability/logger.ts';
import { waitUntil } from '../../shared/testing/wait-until.ts';
import type { Layout } from './layout.ts';
import { LayoutFile } from './layout-file.ts';
import { LayoutKeeper } from './layout-keeper.ts';
import type { ThreadedContext } from './testing/threaded-lane.ts';

const logger = createLogger('test', 'silent');
const files = modelFiles({ id: 'm' });
const entry = join(import.meta.dirname, 'testing/threaded-lane.ts');
const newFolder = () => mkdtempSync(join(tmpdir(), 'millrace-'));
const pace = { lookMs: 20, idleMs: 60, callsMin: 10 };

/** Far from what a busy machine adds to a call; on two threads a call takes what is said. */
const oneThreadMs = 150;

async function keep(
  dataDir: string,
  twoThreadsMs: number,
  isIdle = () => true,
  env: Record<string, string> = {},
  onRace = () => {},
) {
  const told: Layout[] = [];
  const said: string[] = [];
  let races = 0;
  const settings = readSettings({ MILLRACE_DATA: dataDir, ...env });
  const onBetter = (layout: Layout) => void told.push(layout);
  const heard = Object.assign(Object.create(logger), { info: (_facts: object, words: string) => said.push(words) });
  const options = { device: 'cpu', settings, logger: heard, onBetter, entry, cores: 2, pace };
  const keeper = await LayoutKeeper.open(options);
  const memoryOf = () => {
    onRace();
    return ++races;
  };
  keeper.watch({ isIdle, models: () => [files], memoryOf });
  const context: ThreadedContext = { 1: oneThreadMs, 2: twoThreadsMs };
  const row = { tensors: {}, length: 1, shapeKey: 'x', context };
  for (let i = 0; i < 10; i++) keeper.offer({ model: unitOf(files), rows: [row], ms: oneThreadMs });
  return { keeper, told, said, races: () => races };
}
const verdictOf = async (dataDir: string) => await new LayoutFile(dataDir, 'cpu', logger).read();
const untilMeasured = async (dataDir: string) =>
  await waitUntil('layouts are measured', async () => (await verdictOf(dataDir)) !== null, 180_000);

test('one lane of two threads is taken where its calls are fifty times as fast, and by the next process', async () => {
  const dataDir = newFolder();
  const { keeper, told } = await keep(dataDir, 3);
  await untilMeasured(dataDir);
  await waitUntil('the owner is told', () => told.length > 0);
  await keeper.stop();
  assert.deepEqual(told, [{ lanes: 1, threads: 2 }]);
  assert.deepEqual(await verdictOf(dataDir), { layout: { lanes: 1, threads: 2 }, units: [unitOf(files)] });
  const next = await keep(dataDir, 3);
  assert.deepEqual(next.keeper.inForce, { lanes: 1, threads: 2, source: 'measured' });
  await next.keeper.stop();
  const set = await keep(dataDir, 3, () => true, { MILLRACE_LANES: '2' });
  assert.equal(set.keeper.inForce.source, 'set');
  assert.equal(set.keeper.isMeasuring, false);
  await set.keeper.stop();
});

test('two lanes of one thread stay where two threads save a third, and only another model has them raced again', async () => {
  const dataDir = newFolder();
  const first = await keep(dataDir, 100);
  await untilMeasured(dataDir);
  await first.keeper.stop();
  assert.deepEqual(first.told, []);
  assert.deepEqual((await verdictOf(dataDir))?.layout, { lanes: 2, threads: 1 });
  const second = await keep(dataDir, 1);
  await new Promise((resolve) => setTimeout(resolve, 500));
  assert.equal(second.races(), 0);
  for (const model of [unitOf(files), 'another'])
    for (let i = 0; i < 5; i++) second.keeper.offer({ model, rows: [], ms: 1 });
  await waitUntil('layouts are raced for another model', () => second.races() > 0);
  await second.keeper.stop();
});

test('a race is broken off when somebody comes, and nothing is concluded', async () => {
  const dataDir = newFolder();
  let looks = 0;
  const { keeper, told, races } = await keep(dataDir, 3, () => ++looks < 12);
  await waitUntil('a race began', () => races() > 0);
  // Longer than a race that nobody breaks off.
  await new Promise((resolve) => setTimeout(resolve, 6000));
  await keeper.stop();
  assert.equal(await verdictOf(dataDir), null);
  assert.deepEqual(told, []);
});

test('after each race that was broken off the worker must have rested for twice as long', async () => {
  const breaks: number[] = [];
  const rests: number[] = [];
  let [seen, races] = [0, 0];
  const isIdle = () => {
    if (races > seen) breaks.push(performance.now());
    seen = races;
    // Somebody comes in each race, and stays for longer than it takes to notice.
    return performance.now() - (breaks.at(-1) ?? 0) > 100;
  };
  const { keeper } = await keep(newFolder(), 3, isIdle, {}, () => {
    const broken = breaks.at(-1);
    if (broken !== undefined) rests.push(performance.now() - broken);
    races++;
  });
  await waitUntil('five races began', () => races === 5);
  await keeper.stop();
  for (const [at, least] of [120, 240, 480, 960].entries()) assert.ok((rests[at] ?? 0) >= least, `${rests}`);
});

test('nobody is sent away for a layout that the next process would not find', async () => {
  const dataDir = newFolder();
  // A file where the folder should be: nothing can be written below it.
  writeFileSync(join(dataDir, 'costs'), '');
  const { keeper, told, said } = await keep(dataDir, 3);
  await waitUntil('layouts are measured', () => said.includes('another layout is faster'), 180_000);
  await keeper.stop();
  assert.deepEqual(told, []);
});

test('a file of layouts that is broken counts as none', async () => {
  const dataDir = newFolder();
  const file = new LayoutFile(dataDir, 'cpu', logger);
  await file.write({ layout: { lanes: 1, threads: 2 }, units: [] });
  writeFileSync(join(dataDir, 'costs', layoutName(dataDir)), '{"format":1,"layout":{"lanes":-1}}');
  assert.equal(await file.read(), null);
});

function layoutName(dataDir: string): string {
  return readdirSync(join(dataDir, 'costs')).find((name) => name.startsWith('layout-')) ?? '';
}
