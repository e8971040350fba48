/**
 * The record of predictions through the running system, as a data scientist meets it: jobs end, predictions are found,
 * judged, exported and compared; and what must not be kept is nowhere on the disk.
 */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { signalPid } from '../shared/processes/signal-pid.ts';
import { waitUntil } from '../shared/testing/wait-until.ts';
import { type RunningSystem, startSystem } from './system/running-system.ts';

const ner = 'starter-ner-groceries';
const asr = 'starter-asr-digits';
const recording = join(import.meta.dirname, '../models/zoo/starter-asr-digits/samples/seven-two-nine.wav');

interface Prediction {
  readonly job: string;
  readonly item: number;
  readonly label: string | null;
  readonly score: number | null;
  readonly summary: { readonly spans?: readonly object[]; readonly text?: string };
  readonly input: { readonly content: string | null; readonly sha256: string | null; readonly media: string | null };
  readonly feedback: { readonly verdict: string } | null;
}

/** Files of the record and the logs that hold a word. */
function filesWith(system: RunningSystem, word: string): string {
  const names = ['predictions', 'prediction-spool', 'prediction-media', 'logs'];
  const folders = names.map((name) => join(system.dataDir, name));
  return execFileSync('sh', ['-c', 'grep -rla "$@" || true', 'sh', word, ...folders], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
  });
}

class Caller {
  readonly #url: string;
  constructor(url: string) {
    this.#url = url;
  }
  async ask<T>(path: string, init?: RequestInit): Promise<{ status: number; body: T }> {
    const response = await fetch(this.#url + path, init);
    return { status: response.status, body: (await response.json()) as T };
  }
  async submit(body: object): Promise<string> {
    const headers = { 'content-type': 'application/json', prefer: 'wait=30' };
    const { body: job } = await this.ask<{ id: string; status: string }>('/v1/jobs', {
      method: 'POST',
      headers,
      body: JSON.stringify(body),
    });
    assert.equal(job.status, 'succeeded');
    return job.id;
  }
  async judge(job: string, body: object): Promise<{ status: number; body: Prediction }> {
    const headers = { 'content-type': 'application/json' };
    return await this.ask(`/v1/jobs/${job}/feedback`, { method: 'POST', headers, body: JSON.stringify(body) });
  }
  async list(query: string): Promise<Prediction[]> {
    return (await this.ask<{ data: Prediction[] }>(`/v1/predictions?${query}`)).body.data;
  }
  async recorded(query: string, count: number): Promise<Prediction[]> {
    let found: Prediction[] = [];
    const isThere = async () => {
      found = await this.list(query);
      return found.length === count;
    };
    await waitUntil(`${count} predictions of ${query}`, isThere, 180_000);
    return found;
  }
}

describe('the record of predictions, with inputs', () => {
  let system: RunningSystem;
  let caller: Caller;
  let text: string;
  let job: string;
  let spoken: string;
  before(async () => {
    system = await startSystem({ models: [ner, asr], env: { MILLRACE_PREDICTION_INPUTS: 'full' } });
    caller = new Caller(system.url);
    text = 'молоко простоквашино 3.2% 1л';
    job = await caller.submit({ model: ner, inputs: [text, '=cmd|calc sour cream 20%'] });
    const data = readFileSync(recording).toString('base64');
    spoken = await caller.submit({ model: asr, input: { data } });
    await caller.recorded('', 3);
  });
  after(() => system?.stop());

  it('finds predictions by model, label, score and words', async () => {
    const [second, first] = await caller.recorded(`model=${ner}`, 2);
    assert.deepEqual([first?.job, first?.item, second?.item], [job, 0, 1]);
    assert.equal(first?.input.content, text);
    assert.ok((first?.summary.spans?.length ?? 0) >= 2);
    assert.equal((await caller.list(`q=${encodeURIComponent('простоквашино')}`)).length, 1);
    assert.equal(
      (await caller.list(`label=${first?.label}&min_score=${(first?.score ?? 0) - 0.001}`)).at(-1)?.job,
      job,
    );
    assert.equal((await caller.list('min_score=1.5')).length, 0);
    assert.equal((await caller.list('q=seven%20two')).at(0)?.job, spoken);
  });

  it('holds the inputs, where the search for what must not be held would find them', async () => {
    assert.notEqual(filesWith(system, 'простоквашино'), '');
  });

  it('takes a correction, refuses a wrong one, and keeps the newest word', async () => {
    const bad = await caller.judge(job, { verdict: 'wrong', item: 0, corrected_output: [{ start: 1 }] });
    assert.equal(bad.status, 422);
    assert.equal((await caller.judge(job, { verdict: 'right' })).status, 422, 'which of two items?');
    await caller.judge(job, { verdict: 'right', item: 0 });
    const corrected = [{ entity_group: 'BRAND', start: 7, end: 20 }];
    const judged = await caller.judge(job, {
      verdict: 'wrong',
      item: 0,
      corrected_output: corrected,
      note: '=SUM(A1)',
    });
    assert.deepEqual([judged.status, judged.body.feedback?.verdict], [201, 'wrong']);
    await caller.judge(spoken, { verdict: 'wrong', corrected_output: { text: 'seven two nine' } });
  });

  it('exports what trainers read, as JSON lines, CSV and Parquet', async () => {
    const lines = await (await fetch(`${system.url}/v1/datasets/export?task=token-classification`)).text();
    const [example, ...others] = lines
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    assert.equal(others.length, 0);
    assert.equal(example.text, text);
    assert.deepEqual(example.entities, [{ start: 7, end: 20, label: 'BRAND' }]);
    assert.deepEqual(example.ner_tags.slice(0, 3), ['O', 'B-BRAND', 'O']);
    const csv = await (await fetch(`${system.url}/v1/datasets/export?task=token-classification&format=csv`)).text();
    assert.match(csv, /,'=SUM\(A1\),/);
    const asrLines = await fetch(`${system.url}/v1/datasets/export?task=automatic-speech-recognition`);
    const transcript = JSON.parse(await asrLines.text());
    assert.equal(transcript.text, 'seven two nine');
    const media = await fetch(transcript.audio);
    assert.deepEqual(Buffer.from(await media.arrayBuffer()), readFileSync(recording));
    const parquet = await fetch(`${system.url}/v1/datasets/export?task=token-classification&format=parquet`);
    const bytes = Buffer.from(await parquet.arrayBuffer());
    assert.equal(bytes.subarray(0, 4).toString(), 'PAR1');
    assert.equal(bytes.subarray(-4).toString(), 'PAR1');
    const nothing = await fetch(`${system.url}/v1/datasets/export?task=feature-extraction`);
    assert.equal(nothing.status, 422);
  });

  it('compares a window with the time before it', async () => {
    const { body } = await caller.ask<{ window: { predictions: number }; labels: { psi: null; bins: object[] } }>(
      `/v1/models/${ner}/drift?window=1h&reference=7d`,
    );
    assert.equal(body.window.predictions, 2);
    assert.equal(body.labels.psi, null, 'there is no time before');
    assert.ok(body.labels.bins.length > 0);
  });

  it('forgets a job that is erased, with its media', async () => {
    const { input } = (await caller.list(`model=${asr}`))[0] as Prediction;
    assert.equal((await fetch(`${system.url}/v1/jobs/${spoken}`, { method: 'DELETE' })).status, 204);
    await caller.recorded(`model=${asr}`, 0);
    assert.equal((await fetch(system.url + input.media)).status, 404);
    assert.equal((await caller.judge(spoken, { verdict: 'right' })).status, 404);
  });

  it('goes on after its writer was killed, under a new address', async () => {
    for (const pid of system.pidsOf('log')) signalPid(pid, 'SIGKILL');
    const id = await caller.submit({ model: ner, input: 'kefir 1%' });
    await waitUntil('the prediction is there', async () => (await caller.list('limit=1'))[0]?.job === id, 180_000);
  });
});

for (const policy of ['none', 'hash'] as const) {
  describe(`the record of predictions under the policy "${policy}"`, () => {
    let system: RunningSystem;
    before(async () => {
      system = await startSystem({ models: [ner], env: { MILLRACE_PREDICTION_INPUTS: policy, LOG_LEVEL: 'debug' } });
    });
    after(() => system?.stop());

    it('holds no word of an input in database, spool or logs', async () => {
      const caller = new Caller(system.url);
      await caller.submit({ model: ner, input: 'zebrafish yoghurt 3.2% 1l', retention: 1 });
      const [found] = await caller.recorded('', 1);
      assert.equal(found?.input.sha256 === null, policy === 'none');
      assert.ok((found?.summary.spans?.length ?? 0) > 0);
      assert.equal(filesWith(system, 'zebrafish'), '');
    });
  });
}
