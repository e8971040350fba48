/**
 * Five things go wrong in a running system. Each time the alert must fire in a real Prometheus, a panel must show the
 * culprit, a trace must name the stage, and what the alert's page says must mend it.
 */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { missing } from '../../shared/testing/find-tool.ts';
import { waitUntil } from '../../shared/testing/wait-until.ts';
import { startReceiver } from '../../workers/webhooks/testing/receiver.ts';
import { Drill, text } from './drill.ts';
import { hogRedis, keepKilling, throttle } from './faults.ts';
import { slowestStage } from './slowest-stage.ts';

interface SeenJob {
  readonly id: string;
  readonly status: string;
  readonly trace_id: string;
}

const model = 'starter-ner-groceries';
const longTexts = Array.from({ length: 256 }, (_, n) => `${'молоко простоквашино 2,5% 930 мл '.repeat(5)}${n}`);
const skip = missing('prometheus', 'apt-get install prometheus') || missing('redis-cli', 'apt-get install redis-tools');

describe('a fire drill', { skip, timeout: 800_000 }, () => {
  let drill: Drill;
  before(async () => {
    drill = await Drill.start();
    if (!drill.jaeger) console.log('no jaeger here: alerts, panels and runbooks only (../shared/tools/get jaeger)');
    // ModelSlow compares with an hour ago: 36 s of this drill.
    await waitUntil(
      'there is an hour to compare with',
      async () => (await drill.prometheus.query('model:compute_seconds:mean_rate5m offset 36s')).length > 0,
      270_000,
    );
  });
  after(async () => await drill?.stop());

  /** The stage that the traces of some more jobs blame: one alone may come between two faults, or meet another trouble. */
  const blame = async (among?: 'work'): Promise<string | undefined> => {
    if (!drill.jaeger) return undefined;
    const traceIds: string[] = [];
    for (let n = 0; n < 5; n++) {
      const job = (await (await drill.submit('shop', { input: `${text} ${n}` }, 60)).json()) as SeenJob;
      assert.equal(job.status, 'succeeded');
      traceIds.push(job.trace_id);
    }
    return await slowestStage(drill.jaeger, traceIds, among);
  };
  const assertStage = (stage: string | undefined, wanted: readonly string[]) =>
    assert.ok(stage === undefined || wanted.includes(stage), `the trace blames "${stage}", not ${wanted.join(' or ')}`);

  it('a slow model: ModelSlow names it, compute is the stage, a restart of the worker mends it', async () => {
    const fault = throttle(drill.system.pidsOf('lane'));
    try {
      assert.equal((await drill.untilFires('ModelSlow'))['model'], model);
      const [slowest] = await drill.panel('overview', 'Compute by model');
      assert.equal(slowest?.labels['model'], model);
      // Both are the lane's part of a call; a throttled core cuts either.
      assertStage(await blame('work'), ['compute', 'postprocess']);
      await drill.runbook('ModelSlow', 'look');
      const before = drill.system.pidsOf('lane');
      assert.match(await drill.runbook('ModelSlow', 'mend'), /restarting worker/);
      await waitUntil(
        'other lanes live',
        () => {
          const now = drill.system.pidsOf('lane');
          return now.length >= before.length && now.every((pid) => !before.includes(pid));
        },
        120_000,
      );
      await drill.untilSilent('ModelSlow');
    } finally {
      fault.end();
    }
  });

  it('dying lanes: LaneRestarting names the device, the trace its calls, a restart of the worker mends it', async () => {
    const [worker] = drill.system.pidsOf('worker');
    // Lanes of this worker process only: whatever ails it goes with it.
    const fault = keepKilling(
      () => (drill.system.pidsOf('worker').includes(worker as number) ? drill.system.pidsOf('lane') : []),
      // Time enough for the next lane to load and take a call.
      2000,
    );
    try {
      assert.equal((await drill.untilFires('LaneRestarting'))['device'], 'cpu');
      const [first] = await drill.panel('device', 'Lanes that ended unasked');
      assert.ok((first?.value ?? 0) > 0);
      await drill.runbook('LaneRestarting', 'look');
      await untilTraceSaysSo();
      assert.match(await drill.runbook('LaneRestarting', 'mend'), /restarting worker/);
      await drill.untilSilent('LaneRestarting');
    } finally {
      fault.end();
    }
  });

  /** Calls of a few ms are seldom hit: larger ones are. */
  async function untilTraceSaysSo(): Promise<void> {
    const { jaeger } = drill;
    if (!jaeger) return;
    await waitUntil('an engine call says that its lane died', async () => {
      // One at a time: what is left of many would still be there when a tenant floods.
      await (await drill.submit('shop', { inputs: longTexts, priority: 'low' }, 5)).arrayBuffer();
      const traces = await jaeger.tracesOf('millrace-worker');
      return traces.some(({ spans }) =>
        spans.some(
          ({ operationName, tags }) =>
            operationName === 'engine call' && tags.some(({ value }) => value === 'lane-died'),
        ),
      );
    });
  }

  it('a slow Redis: RedisSlow fires, slowlog names the client, ending its connection mends it', async () => {
    const fault = hogRedis(drill.system.redisUrl);
    try {
      await drill.untilFires('RedisSlow');
      // The disk may have made it fire just before, at a hundredth of the rule's windows: the panel is looked at until it shows this.
      await waitUntil('the panel shows it', async () => {
        const [slowest] = await drill.panel('overview', 'Durable write');
        return (slowest?.value ?? 0) > 0.1;
      });
      assertStage(await blame(), ['admission', 'queue wait', 'finish']);
      assert.match(await drill.runbook('RedisSlow', 'look'), /deadline/, 'the slow log shows the script');
      await drill.runbook('RedisSlow', 'mend');
      await drill.untilSilent('RedisSlow');
    } finally {
      await fault.end();
    }
  });

  it('a receiver that is down: WebhookDeliveriesFail, its events are owed, and sent once it is back', async () => {
    const receiver = await startReceiver();
    try {
      drill.webhook = receiver.url;
      await waitUntil('events arrive', () => receiver.received.length > 5);
      receiver.answer = (response) => {
        response.statusCode = 500;
        response.end();
      };
      await drill.untilFires('WebhookDeliveriesFail');
      const failing = await drill.panel('webhooks', 'Attempts by result');
      assert.ok(failing.some(({ labels, value }) => labels['result'] === 'retry' && value > 0));
      const owed = await drill.runbook('WebhookDeliveriesFail', 'look');
      const job = /shop:[\w-]+ (job_[0-9a-f]+)-\d+/.exec(owed)?.[1];
      assert.ok(job, `the page names a job of the receiver:\n${owed}`);
      assert.match(await drill.say(`api /v1/jobs/${job}/deliveries`), new RegExp(new URL(receiver.url).host));
      if (drill.jaeger) {
        const traces = await drill.jaeger.tracesOf('millrace-delivery');
        assert.ok(traces.some(({ spans }) => spans.some(({ tags }) => tags.some(({ value }) => value === 500))));
      }
      const before = receiver.received.length;
      receiver.answer = (response) => response.end('ok');
      drill.webhook = undefined;
      await drill.runbook('WebhookDeliveriesFail', 'mend');
      await waitUntil(
        'the delayed event arrives',
        () => receiver.of(job).length > 1 && receiver.received.length > before,
        180_000,
      );
      await drill.untilSilent('WebhookDeliveriesFail');
    } finally {
      drill.webhook = undefined;
      await receiver.stop();
    }
  });

  it('a tenant that floods: TenantFlooding fires, the tools name it, and its waiting jobs can be canceled', async () => {
    let isFlooding = true;
    const flood = async () => {
      while (isFlooding) {
        const response = await drill.submit('loud', { inputs: longTexts, priority: 'low' }).catch(() => null);
        await response?.arrayBuffer();
        if (response?.status === 429) await new Promise((resolve) => setTimeout(resolve, 50));
      }
    };
    const flooding = Promise.all([1, 2, 3, 4].map(flood));
    try {
      await drill.untilFires('TenantFlooding');
      const [refused] = await drill.panel('overview', 'Submissions refused');
      assert.equal(refused?.labels['reason'], 'tenant-full');
      await drill.runbook('TenantFlooding', 'look', 'loud');
      assert.match(await drill.say('tenants'), /^\d+ loud\n/);
      const job = (await (await drill.submit('shop', { input: 'bread' }, 20)).json()) as SeenJob;
      assert.equal(job.status, 'succeeded', 'the others are served meanwhile');
      await blameFlooder();
      isFlooding = false; // Its key is taken away.
      await flooding;
      assert.match(await drill.runbook('TenantFlooding', 'mend', 'loud'), /canceled job_/);
      await waitUntil('nothing of it waits', async () => !/ loud\n/.test(await drill.say('tenants')), 120_000);
      await drill.untilSilent('TenantFlooding');
    } finally {
      isFlooding = false;
      await flooding;
    }
  });

  /** The flooder's own jobs wait for each other. */
  async function blameFlooder(): Promise<void> {
    const { jaeger } = drill;
    if (!jaeger) return;
    let ended: SeenJob | undefined;
    await waitUntil(
      'one of its jobs has ended',
      async () => {
        const page = (await drill.ask('loud', '/v1/jobs?status=succeeded&limit=1')) as { data: SeenJob[] };
        [ended] = page.data;
        return ended !== undefined;
      },
      120_000,
    );
    assertStage(await slowestStage(jaeger, [ended?.trace_id as string]), ['queue wait', 'batch wait']);
  }
});
