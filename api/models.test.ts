/** Models that come, go and fail while the API runs: what callers and operators are told, on a real Redis. */
import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, it } from 'node:test';
import { keys, queueName } from '../shared/jobs/keys.ts';
import type { LoadedModel, ModelEntry } from '../shared/jobs/model-entry.ts';
import { startTestRedis, type TestRedis } from '../shared/testing/redis.ts';
import { adminToken, type BoardLab, Operator, startBoardLab } from './board/testing/board-lab.ts';
import { testModel } from './testing/test-api.ts';

const models = [
  testModel('ner', 'token-classification', { version: '3' }),
  testModel('ner', 'token-classification', { version: '2' }),
  testModel('other', 'token-classification', { isDefault: false }),
];

describe('models while the API runs', () => {
  let server: TestRedis;
  let lab: BoardLab;
  before(async () => {
    server = await startTestRedis();
    lab = await startBoardLab(server.url, {}, { models });
  });
  beforeEach(async () => {
    await lab.api.redis.del(keys.modelStates, keys.unloadedModels);
    await lab.api.dependencies.availability.poll();
  });
  after(async () => {
    await lab.close();
    await server.stop();
  });

  /** What a worker would have written. */
  const say = async (model: string, entry: Partial<ModelEntry>, worker = 'w1') => {
    const { state = 'ready' } = entry;
    const version = { version: '3', error: entry.error ?? null, ready_since: null, memory_bytes: 5, current: true };
    const versions = [{ ...version, state: state === 'unloading' ? 'ready' : state }] as const;
    const whole = { state, version: '3', error: null, device: 'cpu', lanes: 2, at: 'now', versions, ...entry };
    await lab.api.redis
      .pipeline()
      .set(keys.workerAlive(worker), '1')
      .hset(keys.modelStates, `${model}/${worker}`, JSON.stringify(whole))
      .exec();
    await lab.api.dependencies.availability.poll();
  };
  const operate = async (path: string, method = 'POST', headers: Record<string, string> = {}) => {
    const response = await fetch(`${lab.url}/admin/api/models${path}`, {
      method,
      headers: { Authorization: `Bearer ${adminToken}`, ...headers },
      redirect: 'manual',
    });
    return { status: response.status, body: (await response.json()) as Record<string, unknown> };
  };
  const read = async (id: string) =>
    (await lab.client.ask(`/v1/models/${id}`)).job as unknown as Record<string, unknown>;

  it('takes no job of an unloaded model, says why those wait that it has, and takes them again', async () => {
    await say('ner', {});
    const key = { 'Idempotency-Key': 'once' };
    const waiting = await lab.client.submit({ model: 'ner', input: 'x' }, key);
    assert.equal(waiting.job.waits_for, undefined, 'its turn is all that it waits for');
    assert.equal((await operate('/ner/unload')).status, 202);
    await lab.api.dependencies.availability.poll();
    const refused = await lab.client.submit({ model: 'ner', input: 'x' });
    assert.deepEqual([refused.status, refused.slug], [503, 'model-unavailable']);
    assert.ok(Number(refused.headers.get('retry-after')) > 0);
    assert.equal((await lab.client.submit({ model: 'other', input: 'x' })).status, 202);
    const known = await lab.client.submit({ model: 'ner', input: 'x' }, key);
    assert.equal(known.job.id, waiting.job.id, 'what was accepted is answered even now');
    assert.match(
      (await lab.client.read(waiting.job.id)).job.waits_for ?? '',
      /unloaded by an operator at .*models load ner/,
    );
    assert.equal((await read('ner'))['status'], 'unloaded');
    assert.equal((await operate('/ner/load')).status, 202);
    await lab.api.dependencies.availability.poll();
    assert.equal((await lab.client.submit({ model: 'ner', input: 'x' })).status, 202);
    assert.equal((await read('ner'))['status'], 'ready');
  });

  it('takes no job of a model that failed on every worker, and tells the load error; a loading one is waited for', async () => {
    await say('ner', { state: 'failed', error: 'the graph is cut short' });
    const refused = await lab.client.submit({ model: 'ner', input: 'x' });
    assert.deepEqual([refused.status, refused.slug], [503, 'model-unavailable']);
    assert.match(
      (refused.job as unknown as { detail: string }).detail,
      /ner can not be loaded: the graph is cut short/,
    );
    assert.deepEqual(
      [(await read('ner'))['status'], (await read('ner'))['error']],
      ['failed', 'the graph is cut short'],
    );
    await say('ner', { state: 'loading' }, 'w2');
    const accepted = await lab.client.submit({ model: 'ner', input: 'x' });
    assert.equal(accepted.status, 202);
    assert.match(accepted.job.waits_for ?? '', /can not run: the graph is cut short/);
    assert.match(
      (await lab.client.submit({ model: 'other', input: 'x' })).job.waits_for ?? '',
      /No running worker has other/,
    );
  });

  it('pins a job to the version that its caller names, among those that are served', async () => {
    await say('ner', {});
    const { job } = await lab.client.submit({ model: 'ner@2', input: 'x' });
    assert.equal(job.model, 'ner');
    const queued = await lab.api.dependencies.queues.get('ner', 'normal').getJob(job.id);
    assert.deepEqual(queued?.data, { t: 'default', v: '2' });
    const unknown = await lab.client.submit({ model: 'ner@1', input: 'x' });
    assert.deepEqual([unknown.status, unknown.slug], [422, 'unknown-model']);
    assert.match((unknown.job as unknown as { detail: string }).detail, /Versions: 3, 2/);
    assert.deepEqual((await read('ner'))['versions'], ['3', '2']);
    assert.equal((await lab.client.submit({ model: 'nor@2', input: 'x' })).slug, 'unknown-model');
  });

  it('follows the folders: a new model is taken, one that is gone is not, one that broke stays as it was', async () => {
    const { catalog } = lab.api.dependencies;
    const added = testModel('added', 'token-classification', { isDefault: false });
    const broken = [{ id: 'ner', folder: '/x', reason: 'manifest.yaml is not YAML', fix: null }];
    const docs = async () => await (await fetch(`${lab.api.url}/docs`)).text();
    assert.ok(!(await docs()).includes('added'));
    catalog.update({ models: [added], broken });
    assert.equal((await lab.client.submit({ model: 'added', input: 'x' })).status, 202);
    assert.equal((await lab.client.submit({ model: 'ner', input: 'x' })).status, 202);
    assert.equal((await lab.client.submit({ model: 'other', input: 'x' })).slug, 'unknown-model');
    assert.equal((await read('ner'))['error'], 'manifest.yaml is not YAML');
    assert.ok((await docs()).includes('added'));
    catalog.update({ models: [added], broken: [] });
    assert.equal((await lab.client.submit({ model: 'ner', input: 'x' })).slug, 'unknown-model');
    catalog.update({ models, broken: [] });
  });

  it('shows operators what is loaded where, and what waits for it', async () => {
    await say('ner', {}, 'w1');
    await say('ner', { state: 'failed', error: 'no memory' }, 'w2');
    const live = Number((await lab.api.redis.hget(keys.live, `q:${queueName('ner', 'normal')}`)) ?? 0);
    await lab.client.submit({ model: 'ner', input: 'x' });
    const { body } = await operate('', 'GET');
    const [model, ...more] = body['data'] as LoadedModel[];
    assert.deepEqual([model?.id, model?.status, model?.error, more], ['ner', 'ready', 'no memory', []]);
    assert.equal(model?.unfinished_jobs, live + 1);
    assert.deepEqual(
      model?.workers.map(({ worker, lanes, versions }) => [worker, lanes, versions[0]?.memory_bytes]).sort(),
      [
        ['w1', 2, 5],
        ['w2', 2, 5],
      ],
    );
  });

  it('listens to the bearer of the token only, and names the nearest model', async () => {
    await say('ner', {});
    const unknown = await operate('/nor/unload');
    assert.deepEqual(
      [unknown.status, unknown.body['detail']],
      [404, 'No worker has a model "nor". Did you mean "ner"?'],
    );
    assert.equal((await operate('/..%2Fx/load')).status, 400);
    assert.equal((await operate('', 'GET', { Authorization: 'Bearer wrong' })).status, 401);
    const operator = new Operator(lab.url);
    await operator.logIn();
    assert.equal((await operator.act('api/models/ner/unload', {})).status, 401);
    assert.equal(await lab.api.redis.hlen(keys.unloadedModels), 0);
  });
});
