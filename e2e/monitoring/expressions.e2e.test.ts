/**
 * Everything that rules, dashboards and runbooks ask, asked of a real Prometheus that watches the running system: an
 * expression that names a metric or a label that nobody has would stay silent for ever, and look like good news.
 */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { isDeepStrictEqual, promisify } from 'node:util';
import { missing } from '../../shared/testing/find-tool.ts';
import { waitUntil } from '../../shared/testing/wait-until.ts';
import type { Series } from './prometheus.ts';
import { fillVariables, namesIn, withoutConditions } from './promql.ts';
import { readAlerts, readRules, root, scaleDurations } from './rule-files.ts';
import { startWatchedSystem, type WatchedSystem } from './watched-system.ts';

/** An hour is 6 s. Windows are 5 s at least. */
const factor = 1 / 600;
/** It is only there while an alert is. */
const absentInHealth = new Set(['ALERTS']);

interface Asked {
  /** Who asks. */
  readonly name: string;
  readonly expr: string;
  /** Labels that its words use. */
  readonly words: readonly string[];
}

const skip =
  missing('prometheus', 'apt-get install -y prometheus') ||
  missing('prometheus-redis-exporter', 'apt-get install -y prometheus-redis-exporter') ||
  missing('prometheus-node-exporter', 'apt-get install -y prometheus-node-exporter');

describe('what rules, dashboards and runbooks ask', { skip, timeout: 600_000 }, () => {
  let watched: WatchedSystem;
  before(async () => {
    watched = await startWatchedSystem(factor);
  });
  after(() => watched?.stop());

  it('has an answer: every expression of every rule and panel returns data, with the labels that its words use', async () => {
    const open = new Map([...fromRules(), ...fromDashboards()].map((asked) => [asked.name, asked]));
    assert.ok(open.size > 120, `${open.size} expressions`);
    const silent = () => [...open.values()].map(({ name, expr }) => `${name}: ${expr}`).join('\n');
    await waitUntil(
      'all return data',
      async () => {
        for (const asked of open.values()) if (await isAnswered(asked)) open.delete(asked.name);
        return open.size === 0;
      },
      180_000,
    ).catch((cause) => assert.fail(`${cause.message}\n${silent()}`));
    await waitUntil('a webhook came', () => watched.received() > 0);
  });

  it('names metrics and labels that there are', async () => {
    const everyLabel = new Set<string>();
    const labelsOf = new Map<string, Set<string>>();
    const named = [...fromRules(), ...fromDashboards()].map((asked) => ({ asked, names: namesIn(asked.expr) }));
    for (const metric of new Set(named.flatMap(({ names }) => [...names.metrics.keys()]))) {
      const series = await watched.prometheus.seriesOf(metric);
      assert.ok(series.length > 0 || absentInHealth.has(metric), `nobody has the metric ${metric}`);
      labelsOf.set(metric, new Set(series.flatMap((labels) => Object.keys(labels))));
      for (const label of labelsOf.get(metric) ?? []) everyLabel.add(label);
    }
    for (const { asked, names } of named) {
      for (const [metric, labels] of names.metrics)
        for (const label of absentInHealth.has(metric) ? [] : labels)
          assert.ok(labelsOf.get(metric)?.has(label), `${asked.name}: ${metric} has no label ${label}`);
      for (const label of names.labels)
        assert.ok(everyLabel.has(label), `${asked.name}: no series has a label ${label}`);
    }
  });

  it('sees the same labels of a process that is scraped alone, as compose does', async () => {
    const [shape] = await watched.prometheus.seriesOf('millrace_test_shape');
    const { instance, ...labels } = shape ?? {};
    assert.deepEqual(labels, { __name__: 'millrace_test_shape', job: 'worker', role: 'worker', device: 'cpu' });
    assert.match(instance ?? '', /^127\.0\.0\.1:\d+$/, 'the address, which a restart leaves as it is');
    const [ours] = await watched.prometheus.seriesOf('inference_lanes');
    assert.match(ours?.['instance'] ?? '', /^cpu-\d+$/);
  });

  it('hears from every role whether Redis is there', async () => {
    const wanted = ['api', 'board', 'delivery', 'log', 'worker'].map((role) => [role, 1]);
    let connected: unknown;
    // Those that start last say so last: the log writer gives way to all others.
    await waitUntil(
      'every role says that it is',
      async () => {
        const series = await watched.prometheus.query('min by (role) (inference_redis_connected)');
        connected = series.map(({ labels, value }) => [labels['role'], value]).sort();
        return isDeepStrictEqual(connected, wanted);
      },
      180_000,
    ).catch(() => assert.deepEqual(connected, wanted));
  });

  it('wakes nobody in health', async () => {
    let firing: Awaited<ReturnType<typeof watched.prometheus.alerts>> = [];
    // With windows of seconds a ticket may be noise: one slow call is a slow model. And a busy machine that answers no scrape
    // for a second is a page, which goes by; one that a rule has wrong stays.
    const pages = () => firing.filter(({ labels }) => labels['severity'] === 'page');
    await waitUntil('nobody is woken', async () => {
      firing = (await watched.prometheus.alerts()).filter(({ state }) => state === 'firing');
      return pages().length === 0;
    }).catch(() =>
      assert.deepEqual(
        pages().map(({ annotations }) => annotations['summary']),
        [],
      ),
    );
    for (const { annotations } of firing)
      assert.doesNotMatch(JSON.stringify(annotations), /<no value>|error expanding/);
  });

  it('is answered to those who follow a runbook: every command that looks', async () => {
    const pages = globSync('monitoring/runbooks/*.md', { cwd: root }).map((file) => ({
      file,
      commands: [...readFileSync(join(root, file), 'utf8').matchAll(/```sh look\n([\s\S]*?)```/g)].map(
        ([, block]) => block,
      ),
    }));
    const next = pages.values();
    const following = async () => {
      for (const { file, commands } of next) {
        const said = await follow(commands.join('\n')).catch((error) => assert.fail(`${file}: ${error.message}`));
        assert.doesNotMatch(said, /^\(error\)|ERR |Not found/m, file);
      }
    };
    await Promise.all(Array.from({ length: 4 }, following));
  });

  it('mends: a process is started again, jobs are canceled, Redis gets room', async () => {
    const [before] = watched.system.pidsOf('delivery');
    await follow('restart delivery');
    await waitUntil('another delivery process runs', () => {
      const [now] = watched.system.pidsOf('delivery');
      return now !== undefined && now !== before;
    });
    assert.match(await follow('redis config set maxmemory 2gb; redis bgrewriteaof'), /^OK\nBackground/);
    await follow('cancel_unfinished');
  });

  async function follow(commands: string): Promise<string> {
    const { system, prometheus } = watched;
    const env = { API: system.url, ADMIN: system.adminUrl, PROM: prometheus.url, MILLRACE_DATA: system.dataDir };
    const script = `set -e\n. monitoring/runbooks/tools.sh\n${commands}`;
    const options = { cwd: root, env: { ...process.env, ...env }, timeout: 60_000 };
    const { stdout, stderr } = await promisify(execFile)('bash', ['-c', script], options);
    assert.equal(stderr, '', script);
    return stdout;
  }

  async function isAnswered({ name, expr, words }: Asked): Promise<boolean> {
    const series: readonly Series[] = await watched.prometheus.query(expr);
    if (series.length === 0) return false;
    for (const word of words)
      assert.ok(
        series.some(({ labels }) => word in labels),
        `${name}: its words use the label ${word}; ${expr} has none`,
      );
    return true;
  }
});

function fromRules(): Asked[] {
  const used = new Map(readAlerts().map(({ alert, annotations }) => [alert, labelsUsed(annotations)]));
  return readRules().map(({ file, record, alert, labels, expr }) => ({
    name: `${file} ${alert ?? `${record} ${JSON.stringify(labels ?? {})}`}`,
    expr: withoutConditions(scaleDurations(expr, factor)),
    words: (alert && used.get(alert)) || [],
  }));
}

/** Either of two that `or` joins is enough. */
function labelsUsed(annotations: Readonly<Record<string, string>> = {}): string[] {
  const text = Object.values(annotations)
    .join(' ')
    .replaceAll(/\bor \$labels\.\w+ \$labels\.\w+/g, '');
  return [...text.matchAll(/\$labels\.(\w+)/g)].map(([, label]) => label as string);
}

interface Panel {
  readonly title: string;
  readonly targets?: readonly { readonly refId: string; readonly expr: string; readonly legendFormat: string }[];
}

function fromDashboards(): Asked[] {
  return globSync('monitoring/grafana/dashboards/*.json', { cwd: root }).flatMap((file) => {
    const { title, panels } = JSON.parse(readFileSync(join(root, file), 'utf8')) as { title: string; panels: Panel[] };
    return panels.flatMap((panel) =>
      (panel.targets ?? []).map(({ refId, expr, legendFormat }) => ({
        name: `${title} / ${panel.title} ${refId}`,
        expr: fillVariables(expr),
        words: [...legendFormat.matchAll(/\{\{(\w+)\}\}/g)].map(([, label]) => label as string),
      })),
    );
  });
}
