/** The prediction routes over a real log writer: who may ask what, and what callers hear when it is away. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { after, before, describe, it } from 'node:test';
import { promisify } from 'node:util';
import { loadRecords } from '../../models/discover-tasks.ts';
import { mintJobId } from '../../shared/jobs/job-id.ts';
import { keys } from '../../shared/jobs/keys.ts';
import { createLogger } from '../../shared/observability/logger.ts';
import { skipWithoutPostgres, startTestPostgres, type TestPostgres } from '../../shared/testing/postgres.ts';
import { startTestRedis, type TestRedis } from '../../shared/testing/redis.ts';
import { waitUntil } from '../../shared/testing/wait-until.ts';
import { Announcement } from '../../workers/prediction-log/announce.ts';
import { Answers } from '../../workers/prediction-log/answer-questions.ts';
import { DatabaseKeeper } from '../../workers/prediction-log/database-keeper.ts';
import { type QuestionServer, serveQuestions } from '../../workers/prediction-log/serve-questions.ts';
import { LogLab } from '../../workers/prediction-log/testing/log-lab.ts';
import { Client } from '../testing/client.ts';
import { startTestApi, type TestApi } from '../testing/test-api.ts';
import { encodeCursor } from './read-questions.ts';

const logger = createLogger('log', 'silent');

interface DocumentedPaths {
  readonly paths: Record<
    string,
    Record<string, { tags: string[]; operationId: string; 'x-codeSamples': { source: string }[] }>
  >;
}

describe('the prediction routes', { skip: skipWithoutPostgres() }, () => {
  let redis: TestRedis;
  let postgres: TestPostgres;
  let api: TestApi;
  let lab: LogLab;
  let questions: QuestionServer;
  let announcement: Announcement;
  let ours: Client;
  let theirs: Client;

  before(async () => {
    redis = await startTestRedis();
    postgres = await startTestPostgres();
    lab = await LogLab.open({ redisUrl: redis.url, databaseUrl: postgres.url, policy: 'full' });
    const log = await lab.startWriter();
    const { all: answerers } = new Answers(log, await loadRecords(), lab.dataDir);
    const token = 'the-token-of-this-test';
    questions = await serveQuestions({ answerers, token, host: '127.0.0.1', port: 0, logger });
    const address = { url: `http://127.0.0.1:${questions.port}`, token };
    announcement = new Announcement(lab.redis, address, () => log.writer.isHolding, logger);
    announcement.start();
    await waitUntil('the writer is announced', async () => (await lab.redis.exists(keys.predictionLog)) === 1);
    const env = {
      MILLRACE_PREDICTIONS: 'on',
      MILLRACE_PREDICTION_INPUTS: 'full',
      MILLRACE_API_KEYS: 'ours=ours-key-0000000001,theirs=theirs-key-00000002',
    };
    api = await startTestApi(redis.url, { env });
    ours = new Client(api.url, 'ours-key-0000000001');
    theirs = new Client(api.url, 'theirs-key-00000002');
  });
  after(async () => {
    await announcement?.stop();
    await api?.close();
    await questions?.stop();
    await lab?.close();
    await postgres?.stop();
    await redis?.stop();
  });

  const judge = async (client: Client, job: string, body: object) =>
    await client.ask(`/v1/jobs/${job}/feedback`, { method: 'POST', body: JSON.stringify(body) });
  const list = async (client: Client, query = '') => {
    const { status, job } = await client.ask(`/v1/predictions?${query}`);
    return { status, ...(job as unknown as { data: { job: string }[]; next_cursor: string | null }) };
  };

  it('shows each tenant its own, on every route', async () => {
    const { id } = await lab.runJob({ tenant: 'ours', texts: ['a secret of ours'] });
    const judged = await judge(ours, id, { verdict: 'wrong', corrected_output: [{ entity: 'X', start: 0, end: 1 }] });
    assert.equal(judged.status, 201, 'a job that ended a moment ago is waited for');
    const beyond = { verdict: 'wrong', corrected_output: [{ entity: 'X', start: 0, end: 99 }] };
    assert.equal((await judge(ours, id, beyond)).slug, 'validation-failed', 'the text is shorter');
    assert.deepEqual(
      (await list(ours)).data.map(({ job }) => job),
      [id],
    );
    assert.equal((await list(theirs)).data.length, 0);
    const foreign = await judge(theirs, id, { verdict: 'right' });
    const unknown = await judge(theirs, mintJobId(), { verdict: 'right' });
    assert.deepEqual([foreign.status, unknown.status], [404, 404]);
    const { request_id: a, ...one } = foreign.job as never as { request_id: string };
    const { request_id: b, ...two } = unknown.job as never as { request_id: string };
    assert.deepEqual(one, two);
    assert.notEqual(a, b);
    assert.equal((await theirs.ask(`/v1/predictions/${id}/0/input`)).status, 404);
    const key = { headers: { authorization: 'Bearer theirs-key-00000002' } };
    const dataset = await fetch(`${api.url}/v1/datasets/export?task=token-classification`, key);
    assert.deepEqual([dataset.status, await dataset.text()], [200, '']);
    const place = encodeCursor({ finishedMs: 253_402_300_799_999, job: id, item: 0 });
    assert.equal((await list(ours, `cursor=${place}`)).data.length, 1);
    assert.deepEqual((await list(theirs, `cursor=${place}`)).data, [], 'a place in our list shows them nothing');
    const drift = (await theirs.ask('/v1/models/ner/drift')).job as never as { window: { predictions: number } };
    assert.equal(drift.window.predictions, 0);
    assert.equal((await theirs.ask(`/v1/jobs/${id}`, { method: 'DELETE' })).status, 404);
    assert.equal((await list(ours)).data.length, 1);
  });

  it('refuses what is no question, naming it', async () => {
    const bad = [
      'cursor=AAAA',
      'min_score=high',
      'max_score=low',
      'from=yesterday',
      'limit=0',
      'limit=101',
      'q=',
      'surprise=1',
      `q=${'x'.repeat(201)}`,
      ...['task', 'model', 'label', 'q'].map((name) => `${name}=a%00b`),
      `cursor=${encodeCursor({ finishedMs: 253_402_300_800_000, job: mintJobId(), item: 0 })}`,
    ];
    for (const query of bad) assert.equal((await list(ours, query)).status, 400, query);
    assert.equal(
      (await list(ours, 'to=9999-12-31T23:59:59-23:59')).status,
      200,
      'an offset that leads beyond the year',
    );
    const paths = ['/v1/datasets/export', '/v1/datasets/export?task=none', '/v1/models/x/drift?window=0d'];
    for (const path of [...paths, '/v1/models/a%00b/drift']) assert.equal((await ours.ask(path)).status, 400, path);
    const { id } = await lab.runJob({ tenant: 'ours', texts: ['one', 'two'] });
    const wrong: [object, string][] = [
      [{}, 'validation-failed'],
      [{ verdict: 'maybe' }, 'validation-failed'],
      [{ verdict: 'right' }, 'validation-failed'],
      [{ verdict: 'right', item: 0, corrected_output: [] }, 'validation-failed'],
      [{ verdict: 'wrong', item: 0, corrected_output: 'words' }, 'validation-failed'],
      [{ verdict: 'wrong', item: 2 }, 'not-found'],
      [{ verdict: 'wrong', item: 0, surprise: 1 }, 'validation-failed'],
    ];
    for (const [body, slug] of wrong) assert.equal((await judge(ours, id, body)).slug, slug, JSON.stringify(body));
    assert.equal((await ours.ask('/v1/datasets/export?task=feature-extraction')).slug, 'nothing-to-learn');
  });

  it('takes feedback, and erases, long after the job is gone', async () => {
    const { id } = await lab.runJob({ tenant: 'ours' });
    await waitUntil('it is recorded', async () => (await list(ours)).data[0]?.job === id);
    await lab.redis.del(keys.finished('ours', id));
    await lab.redis.zrem(keys.index('ours'), id);
    assert.equal((await ours.read(id)).status, 404);
    assert.equal((await judge(ours, id, { verdict: 'right' })).status, 201);
    assert.equal((await ours.ask(`/v1/jobs/${id}`, { method: 'DELETE' })).status, 204);
    await waitUntil('it is gone', async () => (await list(ours)).data.every(({ job }) => job !== id));
    assert.equal((await ours.ask(`/v1/jobs/${id}`, { method: 'DELETE' })).status, 404);
  });

  it('answers the commands that its documentation shows', async () => {
    const { id } = await lab.runJob({ tenant: 'ours' });
    const { paths } = (await (await fetch(`${api.url}/openapi.json`)).json()) as DocumentedPaths;
    const said = new Map<string, string>();
    for (const { tags, operationId, 'x-codeSamples': samples } of Object.values(paths).flatMap(Object.values)) {
      if (!tags.includes('Predictions')) continue;
      const curl = 'curl -sS -w "%{http_code}" -H "Authorization: Bearer ours-key-0000000001" -o /dev/null';
      const command = samples[0]?.source.replace(/^curl/, curl).replace(/ -o kept-input/, '');
      const { stdout } = await promisify(execFile)('sh', ['-c', `JOB=${id}; ${command}`], { timeout: 60_000 });
      said.set(operationId, stdout);
    }
    assert.deepEqual([...said.values()].toSorted(), ['200', '200', '200', '201', '404'], 'a text has no media');
  });

  it('exports a few datasets at a time, also when callers hang up', async () => {
    const task = 'token-classification';
    const question = { task, format: 'jsonl', include: 'all', origin: '' };
    const answerer = new Answers(lab.log, await loadRecords(), lab.dataDir).all.get('export');
    const { signal } = new AbortController();
    const open = async (tenant = 'ours') =>
      (await answerer?.({ ...question, tenant } as never, signal)) as { stream: import('node:stream').Readable };
    const streams = await Promise.all(['ours', 'ours', 'theirs'].map((tenant) => open(tenant)));
    await assert.rejects(open(), /2 datasets of yours are exported/);
    streams.push(await open('theirs'));
    await assert.rejects(open('others'), /4 datasets are exported/);
    for (const { stream } of streams) stream.destroy();
    await waitUntil('there is room', async () => (await open()).stream.destroy() !== undefined);
  });

  it('goes on recording while callers ask more than the database can answer', async () => {
    const { keeper } = lab.log;
    const asked = keeper.asked;
    let isOver = false;
    const slow = Promise.all(Array.from({ length: 4 }, async () => await asked?.execute('SELECT pg_sleep(8)')));
    void slow.then(() => {
      isOver = true;
    });
    const { id } = await lab.runJob({ tenant: 'ours' });
    const crowd = ours.ask('/v1/predictions');
    await waitUntil('it is written', async () => (await lab.rows(`job = '${id}'`)).length === 1);
    assert.equal(isOver, false, 'it waited for who asks');
    const answer = await crowd;
    assert.deepEqual(
      [answer.status, (answer.job as unknown as { detail: string }).detail],
      [503, 'Too much is asked of the record just now.'],
    );
    await slow;
    assert.ok(asked && keeper.asked === asked, 'the database never counted as away');
  });

  it('says that a question is wrong when the database refuses what it holds', async () => {
    const headers = { authorization: 'Bearer the-token-of-this-test' };
    const body = JSON.stringify({ tenant: 'ours', label: 'a\0b', limit: 1 });
    const answer = await fetch(`http://127.0.0.1:${questions.port}/list`, { method: 'POST', headers, body });
    assert.deepEqual([answer.status, ((await answer.json()) as { reason: string }).reason], [422, 'bad-question']);
  });

  it('answers nobody without the token', async () => {
    const bare = await fetch(`http://127.0.0.1:${questions.port}/list`, { method: 'POST', body: '{"tenant":"ours"}' });
    assert.equal(bare.status, 401);
    await bare.text();
  });

  it('finds a writer that was started again elsewhere', async () => {
    const { all } = new Answers(lab.log, await loadRecords(), lab.dataDir);
    const other = await serveQuestions({ answerers: all, token: 'another', host: '127.0.0.1', port: 0, logger });
    await list(ours);
    const address = JSON.stringify({ url: `http://127.0.0.1:${other.port}`, token: 'another' });
    await announcement.stop();
    await questions.stop();
    await lab.redis.set(keys.predictionLog, address);
    assert.equal((await list(ours)).status, 200);
    await other.stop();
    const away = await ours.ask('/v1/predictions');
    assert.deepEqual([away.status, away.slug], [503, 'predictions-unavailable']);
    assert.ok(Number(away.headers.get('retry-after')) >= 1);
    await lab.redis.del(keys.predictionLog);
    assert.equal((await ours.ask('/v1/predictions')).slug, 'predictions-unavailable');
    assert.equal((await ours.submit({ model: 'ner', input: 'jobs go on' })).status, 202);
  });

  it('says that the database is away, and nothing of where it is', async () => {
    const words = 'connect ECONNREFUSED 10.9.8.7:5432';
    const open = () => Promise.reject(Object.assign(new Error(words), { code: 'ECONNREFUSED' }));
    const keeper = new DatabaseKeeper(open, logger);
    const { all } = new Answers({ keeper } as never, await loadRecords(), lab.dataDir);
    const asked = all.get('list')?.({ tenant: 'ours', limit: 1 } as never, new AbortController().signal);
    await assert.rejects(asked as Promise<never>, { message: 'The database of the record is away (ECONNREFUSED).' });
    await keeper.stop();
  });

  it('says that nothing is recorded where that is so', async () => {
    const plain = await startTestApi(redis.url);
    const answer = await new Client(plain.url).ask('/v1/predictions');
    assert.deepEqual([answer.status, answer.slug], [404, 'predictions-off']);
    await plain.close();
  });
});
