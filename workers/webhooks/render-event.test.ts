import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { JobRecord } from '../../shared/jobs/store/record.ts';
import { bodyBytesMax, renderEvent, type WebhookEvent } from './render-event.ts';

const finished = (output: unknown): JobRecord => ({
  request: {
    v: 1,
    id: 'job_0',
    tenant: 'default',
    task: 't',
    model: 'm',
    priority: 'normal',
    list: false,
    items: 1,
    retentionSeconds: 60,
  },
  status: 'succeeded',
  createdMs: 1000,
  startedMs: 2000,
  finishedMs: 3000,
  attempts: 1,
  modelVersion: '1',
  events: [
    { seq: 1, name: 'queued', atMs: 1000 },
    { seq: 2, name: 'processing', atMs: 2000 },
    { seq: 3, name: 'succeeded', atMs: 3000 },
  ],
  counts: { total: 1, succeeded: 1, failed: 0 },
  prepareSeconds: 0,
  computeSeconds: 0,
  batchRows: 1,
  output,
  error: null,
  idempotencyKey: null,
});
const render = (output: unknown, seq: number) =>
  JSON.parse(renderEvent(finished(output), { seq, name: 'succeeded', atMs: 9 }, 'https://api.example')) as WebhookEvent;

test('a body shows the job as it stood at its event, with absolute URLs', () => {
  const queued = render('x', 1);
  assert.equal(queued.type, 'job.queued');
  assert.equal(queued.timestamp, '1970-01-01T00:00:01.000Z');
  assert.deepEqual([queued.data.status, queued.data.output, queued.data.started_at], ['queued', null, null]);
  const ended = render('x', 3);
  assert.deepEqual([ended.type, ended.data.status, ended.data.output], ['job.succeeded', 'succeeded', 'x']);
  assert.equal(ended.data.urls.self, 'https://api.example/v1/jobs/job_0');
  assert.equal('output_omitted' in ended.data, false);
});

test('an output that would pass 20 kB is left out, and said so; one that just fits stays', () => {
  const frame = Buffer.byteLength(JSON.stringify(render('', 3)));
  const fits = 'x'.repeat(bodyBytesMax - frame);
  assert.equal(render(fits, 3).data.output, fits);
  const omitted = render(`${fits}x`, 3).data;
  assert.deepEqual([omitted.output, omitted.output_omitted], [null, true]);
  assert.equal(render('ä'.repeat(10_000), 3).data.output_omitted, true);
});
