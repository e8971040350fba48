/** Rules, alerts and their pages belong together, and Prometheus' and Alertmanager's own tools accept them. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { existsSync, globSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { promisify } from 'node:util';
import { parse } from 'yaml';
import { findTool, missing } from '../../shared/testing/find-tool.ts';
import { readAlerts, root, ruleFiles } from './rule-files.ts';

const skip = missing('promtool', 'apt-get install -y prometheus');
const alerts = readAlerts();
const pages = join(root, 'monitoring/runbooks');

/** What it says, on both streams; throws when it is not content. */
async function tool(name: string, args: readonly string[]): Promise<string> {
  const { stdout, stderr } = await promisify(execFile)(findTool(name) as string, args, { cwd: root, timeout: 300_000 });
  return stdout + stderr;
}

describe('promtool', () => {
  it('accepts the rules', { skip }, async () => {
    await tool('promtool', ['check', 'rules', '--lint=all', '--lint-fatal', ...ruleFiles()]);
  });
  for (const config of ['prometheus.yml', 'monitoring/prometheus/local.yml']) {
    it(`accepts ${config}, and finds its rules`, { skip }, async () => {
      const said = await tool('promtool', ['check', 'config', config]);
      for (const file of ruleFiles()) assert.match(said, new RegExp(`Checking .*${file.split('/').at(-1)}\\s+SUCCESS`));
    });
  }
  for (const file of globSync('monitoring/prometheus/tests/*.test.yml', { cwd: root }))
    it(`finds that ${file} holds`, { skip }, async () => {
      await tool('promtool', ['test', 'rules', file]);
    });
});

describe('amtool', () => {
  it('accepts alertmanager.yml', {
    skip: missing('amtool', 'apt-get install -y prometheus-alertmanager'),
  }, async () => {
    await tool('amtool', ['check-config', 'monitoring/alertmanager.yml']);
  });
  it('names no alert in alertmanager.yml that there is not', () => {
    const text = readFileSync(join(root, 'monitoring/alertmanager.yml'), 'utf8');
    const named = [...text.matchAll(/alertname=~?"([^"]+)"/g)].flatMap(([, names]) => (names as string).split('|'));
    for (const name of named)
      assert.ok(
        alerts.some(({ alert }) => new RegExp(`^${name}$`).test(alert)),
        name,
      );
  });
});

describe('alerts', () => {
  it('have names of their own, a severity and words', () => {
    assert.equal(new Set(alerts.map(({ alert }) => alert)).size, alerts.length);
    for (const { alert, labels, annotations } of alerts) {
      assert.match(labels?.['severity'] ?? '', /^(page|ticket)$/, alert);
      assert.ok(annotations?.['summary'] && annotations['description'], alert);
      assert.equal(annotations['runbook_url'], `monitoring/runbooks/${alert}.md`);
    }
  });

  it('have a page each, and no page is without one', () => {
    const written = readdirSync(pages).filter((name) => name.endsWith('.md') && name !== 'README.md');
    assert.deepEqual(written.sort(), alerts.map(({ alert }) => `${alert}.md`).sort());
  });

  it('are each seen to fire by a test of promtool, with the labels that their words use', () => {
    const fired = globSync('monitoring/prometheus/tests/*.test.yml', { cwd: root })
      .map((file) => parse(readFileSync(join(root, file), 'utf8')) as RuleTests)
      .flatMap(({ tests }) => tests.flatMap(({ promql_expr_test: checks }) => checks))
      .flatMap(({ exp_samples: samples }) => samples.map(({ labels }) => labels));
    for (const { alert, annotations } of alerts) {
      const samples = fired.filter((labels) => labels.startsWith(`ALERTS{alertname="${alert}",alertstate="firing"`));
      assert.ok(samples.length > 0, `no test sees ${alert} fire`);
      for (const [, label] of Object.values(annotations ?? {})
        .join(' ')
        .matchAll(/\$labels\.(\w+)/g))
        assert.ok(
          samples.some((labels) => labels.includes(`${label}="`)),
          `${alert} has no label ${label}`,
        );
    }
  });
});

describe('runbook pages', () => {
  it('find the slow client beside commands whose arguments are no text', async () => {
    const log = String.raw`redis() { printf 'EVALSHA\n\0\377\n10.0.0.7:41\n10.0.0.7:41\n10.0.0.8:9\n'; }`;
    const script = `. monitoring/runbooks/tools.sh\n${log}\nslow_client`;
    const { stdout, stderr } = await promisify(execFile)('bash', ['-c', script], { cwd: root });
    assert.deepEqual([stdout, stderr], ['10.0.0.7:41\n', '']);
  });

  for (const { alert } of alerts) {
    const text = existsSync(join(pages, `${alert}.md`)) ? readFileSync(join(pages, `${alert}.md`), 'utf8') : '';
    it(`${alert}: meaning, look, culprit and mend, with commands that are shell`, async () => {
      assert.match(text, new RegExp(`^# ${alert}\\n\\n\\S[\\s\\S]+\\n## Look\\n[\\s\\S]+\\n## Find the culprit\\n`));
      assert.match(text, /\n## Mend\n\n[\s\S]*```sh mend\n/);
      for (const [, block = ''] of text.matchAll(/```sh (?:look|mend)\n([\s\S]*?)```/g))
        await promisify(execFile)('bash', ['-n', '-c', block.replaceAll(/<[a-z ]+>/g, 'x')]);
      for (const [name] of text.matchAll(/\b(?:[A-Z][a-z]+){2,}\b/g))
        if (/^(Queue|Redis|Webhook|Lane|Slo|Gpu|Model|Process|Admission|Tenant|Poison|Disk)/.test(name))
          assert.ok(
            alerts.some((other) => other.alert === name),
            `it names ${name}, which is no alert`,
          );
    });
  }
});

interface RuleTests {
  readonly tests: readonly {
    readonly promql_expr_test: readonly { readonly exp_samples: readonly { readonly labels: string }[] }[];
  }[];
}
