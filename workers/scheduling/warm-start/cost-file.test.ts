import assert from 'node:assert/strict';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { replaceFile } from '../../../shared/files/replace-file.ts';
import { createLogger } from '../../../shared/observability/logger.ts';
import { LearnedCostModel } from '../cost-model.ts';
import { CostFile } from './cost-file.ts';
import { describeHardware, type Hardware, hashHardware } from './hardware.ts';

const hardware: Hardware = { cpu: 'x', cores: 2, device: 'cpu', lanes: 2, threads: 1, runtime: '1.30.0' };
const lines: string[] = [];
const logger = createLogger('test', 'warn', { write: (line: string) => void lines.push(line) });
const newFolder = () => mkdtempSync(join(tmpdir(), 'millrace-'));
const open = async (folder: string, other: Partial<Hardware> = {}) =>
  await CostFile.open(folder, { ...hardware, ...other }, logger);
const truth = (rows: number, length: number) => 3 + 0.05 * rows * length;

function learned(calls = 300, unit = 'm@1#a', factor = 1): LearnedCostModel {
  const model = new LearnedCostModel();
  for (let i = 0; i < calls; i++) {
    const [rows, length] = [1 + ((i * 7) % 12), 8 + ((i * 31) % 200)];
    model.observe(unit, rows, length, factor * truth(rows, length));
  }
  return model;
}

async function keep(folder: string, model: LearnedCostModel, other?: Partial<Hardware>): Promise<void> {
  const file = await open(folder, other);
  file.keep(() => model.memories());
  await file.stop();
}

test('a restarted worker predicts from its first call on what its predecessor learned', async () => {
  const folder = newFolder();
  await keep(folder, learned());
  const { remembered } = await open(folder);
  const again = new LearnedCostModel(remembered);
  for (const [rows, length] of [
    [1, 16],
    [8, 64],
    [2, 180],
  ] as const) {
    const ratio = again.predictMs('m@1#a', rows, length) / truth(rows, length);
    assert.ok(ratio > 0.8 && ratio < 1.15, `${rows} x ${length}: ${ratio}`);
  }
});

test('what is kept is at the pace of the device when it was kept', async () => {
  const folder = newFolder();
  const model = learned();
  for (let i = 0; i < 60; i++) model.observe('m@1#a', 4, 64, 2 * truth(4, 64));
  await keep(folder, model);
  const ratio = new LearnedCostModel((await open(folder)).remembered).predictMs('m@1#a', 4, 64) / (2 * truth(4, 64));
  assert.ok(ratio > 0.8 && ratio < 1.2, `${ratio}`);
});

test('workers that share a directory keep what each other learned, whoever writes last', async () => {
  const folder = newFolder();
  const files = [await open(folder), await open(folder)];
  for (const [at, file] of files.entries()) file.keep(() => learned(20, `${'ab'[at]}@1#a`).memories());
  for (const file of files) await file.stop();
  assert.deepEqual([...(await open(folder)).remembered.keys()], ['a@1#a', 'b@1#a']);
});

test('a file that many write at once is whole, and nobody leaves a draft', async () => {
  const path = join(newFolder(), 'costs.json');
  const texts = Array.from({ length: 8 }, (_, at) => String(at).repeat(500_000 - 50_000 * at));
  await Promise.all(texts.map((text) => replaceFile(path, text)));
  assert.ok(texts.includes(readFileSync(path, 'utf8')));
  assert.equal(readdirSync(dirname(path)).length, 1);
  const blocked = join(newFolder(), 'a folder');
  mkdirSync(blocked);
  await assert.rejects(replaceFile(blocked, 'text'), { code: 'EISDIR' });
  assert.deepEqual(readdirSync(dirname(blocked)), ['a folder']);
});

test('costs of other hardware, and of another state of the files, are not used', async () => {
  const folder = newFolder();
  await keep(folder, learned());
  assert.equal((await open(folder, { threads: 2 })).remembered.size, 0);
  const { remembered } = await open(folder);
  assert.deepEqual([...remembered.keys()], ['m@1#a']);
  const keys = [{ device: 'cuda:0' }, { runtime: '1.31.0' }, { lanes: 1 }, { cpu: 'y' }, { cores: 4 }];
  const hashes = keys.map((other) => hashHardware({ ...hardware, ...other }));
  assert.equal(new Set([...hashes, hashHardware(hardware)]).size, 6);
  assert.match(describeHardware('cpu', 2, 1).runtime, /^\d+\.\d+\.\d+$/);
});

test('a file that is broken, too large or of another format is left out with a warning, and written anew', async () => {
  for (const content of ['{"format":1,"models":{"m":', '{"format":2}', ' '.repeat(5 * 2 ** 20), '[1]']) {
    const folder = newFolder();
    const path = join(folder, 'costs', `${hashHardware(hardware)}.json`);
    mkdirSync(join(folder, 'costs'));
    writeFileSync(path, content);
    lines.length = 0;
    assert.equal((await open(folder)).remembered.size, 0);
    assert.equal(lines.length, 1);
    assert.match(lines[0] ?? '', /learning it anew/);
    await keep(folder, learned());
    assert.equal((await open(folder)).remembered.size, 1);
  }
});

test('numbers that no curve has are not believed', async () => {
  const folder = newFolder();
  await keep(folder, learned());
  const path = join(folder, 'costs', `${hashHardware(hardware)}.json`);
  const facts = JSON.parse(readFileSync(path, 'utf8'));
  facts.models['m@1#a'].curve.scale = [1, 0, 1];
  writeFileSync(path, JSON.stringify(facts));
  assert.equal((await open(folder)).remembered.size, 0);
});

test('old entries, the oldest of many, and files of hardware long gone are dropped', async () => {
  const folder = newFolder();
  await keep(folder, learned(20, 'old@1#a'));
  const path = join(folder, 'costs', `${hashHardware(hardware)}.json`);
  const facts = JSON.parse(readFileSync(path, 'utf8'));
  facts.models['old@1#a'].at = '2020-01-01T00:00:00.000Z';
  for (let i = 0; i < 200; i++)
    facts.models[`m${i}@1#a`] = { ...facts.models['old@1#a'], at: new Date().toISOString() };
  writeFileSync(path, JSON.stringify(facts));
  assert.equal((await open(folder)).remembered.has('old@1#a'), false);
  for (let i = 0; i < 40; i++) {
    const other = join(folder, 'costs', `${i}.json`);
    writeFileSync(other, '{}');
    utimesSync(other, i, i);
  }
  await keep(folder, learned(20, 'new@1#a'));
  const { remembered } = await open(folder);
  assert.equal(remembered.size, 128);
  assert.ok(remembered.has('new@1#a') && remembered.has('m199@1#a') && !remembered.has('m0@1#a'));
  assert.equal(readdirSync(join(folder, 'costs')).length, 16);
  assert.ok(existsSync(path));
});

test('a directory that can not be written is a warning, not a failure', async () => {
  const folder = newFolder();
  writeFileSync(join(folder, 'costs'), 'a file where the folder belongs');
  lines.length = 0;
  await keep(folder, learned());
  assert.match(lines.at(-1) ?? '', /can not be kept/);
});
