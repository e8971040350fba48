import assert from 'node:assert/strict';
import { beforeEach, test } from 'node:test';
import { unitOf } from '../../models/repository/model-files.ts';
import { modelFiles } from '../../models/testing/model-files.ts';
import { waitUntil } from '../../shared/testing/wait-until.ts';
import type { ModelState } from '../lane/lane-pool.ts';
import { type ModelReport, ServedModel } from './served-model.ts';

let told: ModelReport[];
let consumers: string[];
let inLanes: string[];
let warm: () => Promise<void>;
let model: ServedModel;

const one = modelFiles({ version: '1', revision: 'a' });
const changed = modelFiles({ version: '1', revision: 'b' });
const two = modelFiles({ version: '2', revision: 'a' });
const last = () => told.at(-1) as ModelReport;
const say = (files: typeof one, state: ModelState, reason?: string) =>
  model.lanesSay(unitOf(files), state, reason === undefined ? {} : { reason });
const versions = () => model.claimable().map(({ files }) => files.version);
const turn = () => new Promise((resolve) => setImmediate(resolve));
const makeReady = async (files: typeof one) => {
  say(files, 'ready');
  await turn();
};

beforeEach(() => {
  told = [];
  consumers = [];
  inLanes = [];
  warm = async () => {};
  model = new ServedModel('model', {
    warm: () => warm(),
    open: () => {
      consumers.push('open');
      return {
        pause() {
          consumers.push('pause');
        },
        resume: () => void consumers.push('resume'),
        async close() {
          consumers.push('close');
        },
      };
    },
    addToLanes: (files) => void inLanes.push(unitOf(files)),
    removeFromLanes: ({ name }) => {
      inLanes = inLanes.filter((other) => other !== name);
    },
    tell: (report) => void told.push(report),
    retryMs: 50,
  });
});

test('a second lane that has the model does not make it ready while its items can not be prepared', async () => {
  let isThere = false;
  warm = async () => {
    if (!isThere) throw new Error('no tokeniser');
  };
  model.update([one], null);
  say(one, 'ready');
  await waitUntil('it failed', () => last().state === 'failed');
  assert.match(last().error ?? '', /no tokeniser; tried again in 0\.05 s/);
  say(one, 'ready');
  assert.ok(told.every(({ state }) => state !== 'ready'));
  isThere = true;
  await waitUntil('it is ready', () => last().state === 'ready');
  assert.deepEqual(consumers, ['open']);
});

test('a model that is set aside while it warms opens no consumers until it is ready again', async () => {
  const warmed = Promise.withResolvers<void>();
  warm = () => warmed.promise;
  model.update([one], null);
  say(one, 'ready');
  say(one, 'quarantined');
  warmed.resolve();
  await turn();
  assert.deepEqual([last().state, consumers], ['quarantined', []]);
  say(one, 'ready');
  assert.deepEqual([last().state, consumers], ['ready', ['open']]);
  say(one, 'loading');
  say(one, 'ready');
  assert.deepEqual(consumers, ['open', 'pause', 'resume']);
});

test('a changed model takes over when it is ready, and the old one leaves with its last job', async () => {
  model.update([one], null);
  await makeReady(one);
  const job = Promise.withResolvers<void>();
  const run = model.claimable()[0]?.run(() => job.promise);
  model.update([changed], null);
  assert.equal(model.claimable()[0]?.files, one, 'until then the old one serves');
  await makeReady(changed);
  assert.equal(model.claimable()[0]?.files, changed);
  assert.deepEqual(inLanes, [unitOf(one), unitOf(changed)]);
  job.resolve();
  await run;
  assert.deepEqual(inLanes, [unitOf(changed)]);
  assert.deepEqual(consumers, ['open'], 'no claim was missed');
});

test('a reload that fails changes nothing, and says so beside `ready`', async () => {
  model.update([one], null);
  await makeReady(one);
  model.update([two], null);
  say(two, 'failed', 'bad graph');
  assert.equal(model.claimable()[0]?.files, one);
  assert.deepEqual([last().state, last().version], ['ready', '1']);
  assert.equal(last().error, 'version 2: bad graph (version 1 as it was goes on serving)');
  model.update(null, 'manifest.yaml is not YAML');
  assert.match(last().error ?? '', /^manifest\.yaml is not YAML \(version 1 as it was/);
  await makeReady(two);
  assert.deepEqual([last().version, inLanes], ['2', [unitOf(two)]]);
});

test('several versions serve side by side: the highest by default, each by name', async () => {
  model.update([two, one], null);
  await makeReady(one);
  assert.equal(model.claimable()[0]?.files, one, 'the highest that is ready');
  assert.deepEqual(versions(), ['1']);
  assert.ok(model.holds('2') && !model.holds('3'));
  await makeReady(two);
  assert.equal(model.claimable()[0]?.files, two);
  assert.deepEqual(versions(), ['2', '1'], 'each by name');
  model.update([two], null);
  assert.deepEqual(versions(), ['2']);
  assert.deepEqual(inLanes, [unitOf(two)]);
});

test('a model that closes takes no more claims and then leaves the lanes', async () => {
  model.update([two, one], null);
  await makeReady(one);
  await model.close();
  assert.deepEqual([consumers, inLanes], [['open', 'close'], []]);
  assert.equal(last().state, 'unloading');
});
