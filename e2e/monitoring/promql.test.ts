import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fillVariables, namesIn, withoutConditions } from './promql.ts';
import { scaleDurations } from './rule-files.ts';

test('finds metrics, matchers and label lists, and takes no function for a metric', () => {
  const { metrics, labels } = namesIn(
    'sum by (device, le) (rate(a_bucket{role!="",x=~"a{2}|b"}[5m])) / on (device) group_left () b:c:max offset 1h > 0.5 and time() > d',
  );
  assert.deepEqual(
    [...metrics].map(([name, matchers]) => [name, ...matchers]),
    [['a_bucket', 'role', 'x'], ['b:c:max'], ['d']],
  );
  assert.deepEqual([...labels], ['device', 'le']);
});

test('turns every comparison into a value, and leaves matchers as they are', () => {
  assert.equal(
    withoutConditions('a{x!="1"} > 3 and b == 0 or c > on (d) e < bool 2'),
    'a{x!="1"} > bool 3 and b == bool 0 or c > bool on (d) e < bool 2',
  );
});

test('fills in what Grafana would', () => {
  assert.equal(fillVariables('rate(a{m=~"$model",c=~"$class|"}[$__rate_interval])'), 'rate(a{m=~".*",c=~".*|"}[10s])');
});

test('scales windows, offsets and waits, and no name', () => {
  assert.equal(
    scaleDurations('expr: slo:ratio_rate5m offset 1h > rate(a[6h]) + b[1h:1m]\n        for: 5m\n', 1 / 60),
    'expr: slo:ratio_rate5m offset 60000ms > rate(a[360000ms]) + b[60000ms:1000ms]\n        for: 5000ms\n',
  );
  assert.equal(scaleDurations('rate(a[1m])', 1 / 600), 'rate(a[5000ms])', 'two scrapes must fit');
});
