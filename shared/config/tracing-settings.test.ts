import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readSettings } from './settings.ts';

const read = (env: Record<string, string>) => readSettings(env).tracing;

test('spans go nowhere unless an exporter or an endpoint is named', () => {
  assert.equal(read({}).exporter, 'none');
  assert.equal(read({}).ratio, 0.1);
  assert.equal(read({ OTEL_EXPORTER_JAEGER_AGENT_HOST: 'jaeger' }).exporter, 'jaeger');
  assert.equal(read({ OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: 'http://c:4318/x' }).exporter, 'otlp');
  assert.equal(read({ OTEL_TRACES_EXPORTER: 'none', OTEL_EXPORTER_OTLP_ENDPOINT: 'http://c:4318' }).exporter, 'none');
});

test('the endpoint for traces is taken as it is, the general one gets the path', () => {
  assert.equal(read({ OTEL_EXPORTER_OTLP_ENDPOINT: 'http://c:4318/' }).otlp.url, 'http://c:4318/v1/traces');
  const both = { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://c:4318', OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: 'http://d/in' };
  assert.equal(read(both).otlp.url, 'http://d/in');
});

test('headers are decoded, and a fault is told without them', () => {
  const headers = read({ OTEL_EXPORTER_OTLP_HEADERS: 'api-key=a%3Db, x-tenant = ours' }).otlp.headers;
  assert.deepEqual(headers, { 'api-key': 'a=b', 'x-tenant': 'ours' });
  assert.throws(
    () => read({ OTEL_EXPORTER_OTLP_HEADERS: 'hush%ZZ=secret%ZZ', OTEL_TRACES_SAMPLER_ARG: '2' }),
    (error: Error) =>
      /OTEL_EXPORTER_OTLP_HEADERS: each is name=value/.test(error.message) &&
      /OTEL_TRACES_SAMPLER_ARG/.test(error.message) &&
      !/secret/.test(error.message),
  );
});
