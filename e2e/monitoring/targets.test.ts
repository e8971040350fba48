/** prometheus.yml, Grafana and docker-compose.yml name the same services and ports. */
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { parse } from 'yaml';
import { readComposeFile } from '../deployment/compose-file.ts';
import { root } from './rule-files.ts';

interface Discovery {
  readonly names: readonly string[];
  readonly port: number;
}
interface ScrapeJob {
  readonly job_name: string;
  readonly dns_sd_configs?: readonly Discovery[];
}

const compose = readComposeFile().services;
const config = parse(readFileSync(join(root, 'prometheus.yml'), 'utf8')) as {
  scrape_configs: ScrapeJob[];
  alerting: { alertmanagers: { dns_sd_configs: Discovery[] }[] };
};
const discovered = [
  ...config.scrape_configs.flatMap(({ dns_sd_configs: found = [] }) => found),
  ...config.alerting.alertmanagers.flatMap(({ dns_sd_configs: found }) => found),
];

test('every name that Prometheus looks up is a service of compose', () => {
  assert.ok(discovered.length >= 9);
  for (const { names } of discovered) for (const name of names) assert.ok(name in compose, name);
});

test('every program of ours is scraped, at the port where it serves its metrics', () => {
  const scraped = new Map(discovered.flatMap(({ names, port }) => names.map((name) => [name, port] as const)));
  for (const [name, { build, environment = {} }] of Object.entries(compose)) {
    if (!build || name === 'init') continue;
    assert.equal(String(scraped.get(name)), environment['METRICS_PORT'], name);
    assert.notEqual(environment['METRICS_HOST'] ?? '127.0.0.1', '127.0.0.1', `${name} listens to itself only`);
  }
});

test("Grafana's sources are services of compose, and its dashboards lie where compose puts them", () => {
  const read = (file: string) => readFileSync(join(root, 'monitoring/grafana/provisioning', file), 'utf8');
  const { datasources } = parse(read('datasources/millrace.yml')) as { datasources: { url: string }[] };
  for (const { url } of datasources) assert.ok(new URL(url).hostname in compose, url);
  const { providers } = parse(read('dashboards/millrace.yml')) as { providers: { options: { path: string } }[] };
  const mounts = (compose['grafana']?.volumes ?? []).map((volume) => volume.split(':'));
  for (const { options } of providers) {
    const mount = mounts.find(([, inside]) => inside === options.path);
    assert.ok(mount && existsSync(join(root, mount[0] as string)), options.path);
  }
});
