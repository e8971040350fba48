/** Bull Board as we serve it: every queue, nothing to change, nothing of a payload, and a bounded cost. */
import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { after, before, describe, it } from 'node:test';
import { Redis } from 'ioredis';
import { jobClasses } from '../../../shared/jobs/job.ts';
import { keys, queueName } from '../../../shared/jobs/keys.ts';
import { startTestRedis, type TestRedis } from '../../../shared/testing/redis.ts';
import { waitUntil } from '../../../shared/testing/wait-until.ts';
import { adminToken, ask, type BoardLab, startBoardLab } from '../testing/board-lab.ts';

interface Route {
  readonly method: string | readonly string[];
  readonly route: string;
}
const { appRoutes } = createRequire(import.meta.url)(
  `${createRequire(import.meta.url)
    .resolve('@bull-board/api')
    .replace(/index\.js$/, '')}routes.js`,
) as { appRoutes: { api: readonly Route[] } };

interface ShownQueue {
  readonly name: string;
  readonly counts: Readonly<Record<string, number>>;
  readonly readOnlyMode: boolean;
  readonly jobs: readonly { readonly id: string; readonly data: unknown; readonly externalUrl: { href: string } }[];
}

describe('Bull Board', () => {
  let server: TestRedis;
  let lab: BoardLab;
  before(async () => {
    server = await startTestRedis();
    lab = await startBoardLab(server.url);
    await lab.api.redis.hset(keys.modelStates, 'ner/worker-1', '{}');
  });
  after(async () => {
    await lab.close();
    await server.stop();
  });
  const headers = { authorization: `Bearer ${adminToken}`, accept: 'application/json' };
  const look = async (query = ''): Promise<ShownQueue[]> => {
    const { status, text } = await ask(`${lab.url}/admin/queues/api/queues?${query}`, { headers });
    assert.equal(status, 200, text);
    return (JSON.parse(text) as { queues: ShownQueue[] }).queues;
  };
  const namesOf = (model: string) => jobClasses.map((jobClass) => queueName(model, jobClass)).sort();

  it('shows every class of every model, and webhooks, as models come and go', async () => {
    assert.deepEqual(
      (await look()).map(({ name }) => name),
      [...namesOf('ner'), 'webhooks'],
    );
    await lab.api.redis.hset(keys.modelStates, 'asr/worker-2', '{}');
    await lab.client.submit({ model: 'ner-large', input: 'x', priority: 'low' });
    const all = [...namesOf('asr'), 'ner-large.low', ...namesOf('ner')].sort();
    const isShown = async (names: string[]) =>
      JSON.stringify((await look()).map(({ name }) => name)) === JSON.stringify([...names, 'webhooks']);
    await waitUntil('the new ones are shown', () => isShown(all));
    await lab.api.redis.hdel(keys.modelStates, 'asr/worker-2');
    await waitUntil('those without worker or work are gone', () =>
      isShown(all.filter((name) => !name.startsWith('asr'))),
    );
  });

  it('says of a job whose it is and how our store sees it, and nothing of what is in it', async () => {
    const { job } = await lab.client.submit({ model: 'ner', input: 'words of a patient', metadata: { who: 'Ada' } });
    let shown: ShownQueue | undefined;
    await waitUntil('it is counted', async () => {
      shown = (await look('activeQueue=ner.normal&status=latest&page=1&jobsPerPage=10')).find(
        ({ name }) => name === 'ner.normal',
      );
      return shown?.counts['prioritized'] === 1;
    });
    const [one] = shown?.jobs ?? [];
    const { age_seconds: age, ...data } = (one?.data ?? {}) as Record<string, unknown>;
    assert.deepEqual(data, {
      job: job.id,
      tenant: 'default',
      status: 'queued',
      attempts: 0,
      payload: 'Inputs and outputs are not shown here.',
    });
    assert.ok(Number(age) < 60);
    assert.equal(one?.externalUrl.href, `/admin/jobs/default/${job.id}`);
    const { text } = await ask(`${lab.url}/admin/queues/api/queues/ner.normal/${job.id}`, { headers });
    assert.ok(text.includes(job.id) && !text.includes('patient') && !text.includes('Ada'));
  });

  it('refuses every change that Bull Board knows', async () => {
    const { job } = await lab.client.submit({ model: 'ner', input: 'x' });
    const before = await lab.api.redis.zcard(`${keys.queuePrefix}:ner.normal:prioritized`);
    let refused = 0;
    for (const { method, route } of appRoutes.api) {
      for (const verb of [method].flat().filter((name) => name !== 'get')) {
        const path = route
          .replace(':queueName', 'ner.normal')
          .replace(':jobId', job.id)
          .replace(':queueStatus', 'waiting')
          .replace(':schedulerId', 'x');
        const page = await ask(`${lab.url}/admin/queues${path}`, { method: verb.toUpperCase(), form: '{}', headers });
        assert.equal(page.status, 405, `${verb} ${route}`);
        refused++;
      }
    }
    assert.ok(refused >= 20, `${refused} routes`);
    assert.equal(await lab.api.redis.zcard(`${keys.queuePrefix}:ner.normal:prioritized`), before);
    assert.ok(
      (await look()).every(({ readOnlyMode }) => readOnlyMode),
      'and each queue would refuse by itself',
    );
  });

  it('writes nothing into Redis by looking, and asks little: 200 queues, ten looks at once', async (t) => {
    for (let i = 0; i < 50; i++) await lab.api.redis.hset(keys.modelStates, `model-${i}/worker-1`, '{}');
    await waitUntil('all are shown', async () => (await look()).length > 200);
    const monitor = new Redis(server.url);
    const commandsOf = async () => {
      const stats = await monitor.info('commandstats');
      const calls = [...stats.matchAll(/cmdstat_([\w|]+):calls=(\d+)/g)].map(
        ([, name = '', count]) => [name, Number(count)] as const,
      );
      return new Map(calls);
    };
    const keysBefore = await monitor.dbsize();
    const connectionsBefore = Number(/connected_clients:(\d+)/.exec(await monitor.info('clients'))?.[1]);
    await lab.api.stop(); // It polls, too.
    const before = await commandsOf();
    let asked = new Map<string, number>();
    await waitUntil('what was kept has lapsed, and is asked for again', async () => {
      await Promise.all(Array.from({ length: 10 }, () => look()));
      asked = new Map([...(await commandsOf())].map(([name, count]) => [name, count - (before.get(name) ?? 0)]));
      return (asked.get('zcard') ?? 0) > 0;
    });
    monitor.disconnect();
    for (const name of ['info', 'config|resetstat']) asked.delete(name);
    const sum = [...asked.values()].reduce((total, count) => total + count, 0);
    t.diagnostic(`${sum} commands`);
    assert.ok(sum < 3000, `${sum} commands: ${JSON.stringify([...asked])}`);
    assert.equal(asked.get('client|list') ?? 0, 0, 'no CLIENT LIST');
    const probe = new Redis(server.url);
    assert.equal(await probe.dbsize(), keysBefore);
    const connections = Number(/connected_clients:(\d+)/.exec(await probe.info('clients'))?.[1]);
    probe.disconnect();
    assert.ok(connections <= connectionsBefore + 1, `${connections} connections`);
  });
});
