/** The other ways into Jaeger: OTLP, with the tail sampling that ships, and Thrift by UDP. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { missing } from '../../shared/testing/find-tool.ts';
import { freePort } from '../../shared/testing/free-port.ts';
import { tagOf } from './jaeger.ts';
import { faultsOf, linksOf, spanNamed } from './trace-tree.ts';
import { type SeenJob, speechModel, TracedSystem, textModel } from './traced-system.ts';

const whole = { 'POST /v1/jobs': 1, run: 1, finish: 1 };

describe('exporters', { skip: missing('jaeger', '../shared/tools/get jaeger'), timeout: 600_000 }, () => {
  it('sends by UDP, datagram for datagram, also what is much', async () => {
    const traced = await TracedSystem.start(
      ({ udpPort }) => ({
        OTEL_EXPORTER_JAEGER_AGENT_HOST: '127.0.0.1',
        OTEL_EXPORTER_JAEGER_AGENT_PORT: `${udpPort}`,
      }),
      [textModel],
    );
    try {
      const inputs = Array.from({ length: 64 }, (_, i) => `milk ${i}% 1l`);
      const jobs = await Promise.all(Array.from({ length: 40 }, () => traced.run({ model: textModel, inputs })));
      for (const job of jobs) assert.deepEqual(faultsOf(await traced.traceWith(job.trace_id, whole)), []);
    } finally {
      await traced.stop();
    }
  });

  it('sends OTLP, and the tail keeps every error and engine call, and a tenth of the rest', async () => {
    const env = { MILLRACE_ALLOW_HOSTS: '127.0.0.0/8', OTEL_TRACES_EXPORTER: 'otlp' };
    const traced = await TracedSystem.start(
      ({ otlp }) => ({ OTEL_EXPORTER_OTLP_ENDPOINT: otlp }),
      [textModel, speechModel],
      { env, tail: { decisionWait: '3s' } },
    );
    try {
      const nowhere = { model: speechModel, input: { url: `http://127.0.0.1:${await freePort()}/none.wav` } };
      const good = { model: textModel, input: 'milk 1l' };
      const runAll = (body: object, count: number): Promise<SeenJob[]> =>
        Promise.all(Array.from({ length: count }, () => traced.run({ ...body })));
      const [errors, fine] = await Promise.all([runAll(nowhere, 20), runAll(good, 150)]);
      for (const { trace_id } of errors) {
        const trace = await traced.traceWith(trace_id, { run: 1, 'POST /v1/jobs': 1 });
        assert.deepEqual(faultsOf(trace), []);
        assert.equal(tagOf(spanNamed(trace, 'run'), 'error'), true);
      }
      // The errors came last into the same queue: what was to be kept of the others is there too.
      const kept = (await Promise.all(fine.map(({ trace_id }) => traced.jaeger.trace(trace_id)))).filter(Boolean);
      assert.ok(kept.length > 0 && kept.length < 50, `${kept.length} of 150 kept; 15 expected`);
      for (const trace of kept) {
        const [link] = linksOf(spanNamed(trace as NonNullable<typeof trace>, 'compute'));
        await traced.traceWith(link?.traceID as string, { 'engine call': 1 });
      }
    } finally {
      await traced.stop();
    }
  });
});
