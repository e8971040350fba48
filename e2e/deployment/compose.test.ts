import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { promisify } from 'node:util';
import { systemEntries } from '../../cli/launcher/system.ts';
import { knownSettings } from '../../shared/config/settings.ts';
import { findTool, missing } from '../../shared/testing/find-tool.ts';
import { readComposeFile, root, splitMount } from './compose-file.ts';

const file = readComposeFile();
const services = Object.entries(file.services);
/** Programs of ours: built here, and not the one that writes secrets and ends. */
const programs = services.filter(([name, { build }]) => build && name !== 'init');

describe('docker-compose.yml, as compose itself reads it', () => {
  const profiles = ['monitoring', 'gpu', 'gpu2'];
  const combinations = Array.from({ length: 2 ** profiles.length }, (_, mask) =>
    profiles.filter((_, bit) => (mask >> bit) & 1),
  );
  for (const chosen of combinations) {
    const skip = missing('compose', '../shared/tools/get compose');
    it(`is valid with ${chosen.join(' and ') || 'no profile'}`, { skip }, async () => {
      const flags = chosen.flatMap((profile) => ['--profile', profile]);
      const args = ['-f', join(root, 'docker-compose.yml'), ...flags, 'config', '-q'];
      const { stderr } = await promisify(execFile)(findTool('compose') as string, args, { timeout: 180_000 });
      assert.equal(stderr, '');
    });
  }
});

describe('docker-compose.yml', () => {
  it('runs what npm start runs, and nothing else of ours', () => {
    const run = new Set(programs.map(([, { command }]) => command?.[1]));
    assert.deepEqual([...run].sort(), systemEntries.map(({ file }) => file).sort());
    for (const [name, { command }] of programs) {
      assert.equal(command?.[0], 'node', name);
      assert.ok(existsSync(join(root, command?.[1] ?? '')), name);
    }
  });

  it('needs no edit: without a profile it runs on the CPU', () => {
    const usual = services.filter(([, { profiles }]) => !profiles).map(([name]) => name);
    for (const name of ['init', 'redis', 'postgres', 'api', 'worker', 'delivery', 'log', 'board'])
      assert.ok(usual.includes(name), name);
    assert.ok(!usual.some((name) => name.includes('gpu')));
  });

  for (const [name, service] of services) {
    it(`${name} has a health check, limits, logs with an end, and nothing that it does not need`, () => {
      if (name !== 'init') assert.ok((service.healthcheck?.test?.length ?? 0) > 1, 'health check');
      assert.deepEqual(Object.keys(service.deploy?.resources.limits ?? {}).sort(), ['cpus', 'memory', 'pids']);
      assert.ok(Number(service.deploy?.resources.limits['cpus']) <= 2, 'docker refuses more cores than there are');
      assert.equal(service.read_only, true);
      assert.deepEqual(service.cap_drop, ['ALL']);
      assert.deepEqual(service.security_opt, ['no-new-privileges:true']);
      assert.match(service.user ?? '', name === 'dcgm-exporter' ? /^0:0$/ : /^[1-9]\d*:\d+$/);
      assert.deepEqual(service.cap_add, name === 'dcgm-exporter' ? ['SYS_ADMIN'] : undefined);
      assert.ok(service.logging?.options['max-size'] && service.logging.options['max-file']);
      assert.match(service.image, /:v?\d+\.\d+\.\d+[\w.-]*$|:\d+\.\d+-[\w.]+$/, 'an exact version');
    });
  }

  it('publishes the documented ports only, all on the loopback', () => {
    const ports = services.flatMap(([name, service]) => (service.ports ?? []).map((port) => `${name} ${port}`));
    assert.deepEqual(ports.sort(), [
      'alertmanager 127.0.0.1:9093:9093',
      'api 127.0.0.1:8080:8080',
      'board 127.0.0.1:8081:8081',
      'grafana 127.0.0.1:3000:3000',
      'jaeger 127.0.0.1:16686:16686',
      'prometheus 127.0.0.1:9090:9090',
    ]);
  });

  it('keeps data and metrics on networks without a way out', () => {
    assert.deepEqual([file.networks['data']?.internal, file.networks['watch']?.internal], [true, true]);
    for (const name of ['redis', 'postgres']) assert.deepEqual(file.services[name]?.networks, ['data']);
  });

  it('mounts only what exists, and what is ours read-only', () => {
    for (const [name, { volumes = [] }] of services) {
      for (const { source, mode } of volumes.map(splitMount)) {
        if (source.startsWith('.')) assert.ok(existsSync(join(root, source)), `${name}: ${source}`);
        if (/^[./]/.test(source)) assert.equal(mode, 'ro', `${name}: ${source}`);
        else assert.ok(source in file.volumes, `${name}: ${source}`);
      }
    }
  });

  it('sets only settings that exist, and those that name files name mounted ones', () => {
    for (const [name, { environment = {}, volumes = [] }] of programs) {
      const targets = volumes.map((mount) => splitMount(mount).target);
      for (const [variable, value] of Object.entries(environment)) {
        assert.ok(knownSettings.has(variable.replace(/_FILE$/, '')), `${name}: ${variable}`);
        if (!variable.endsWith('_FILE')) continue;
        assert.ok(
          targets.some((target) => value.startsWith(`${target}/`)),
          `${name}: ${value}`,
        );
      }
      for (const secret of ['REDIS_URL', 'DATABASE_URL', 'ADMIN_TOKEN', 'MILLRACE_API_KEYS'])
        assert.ok(!(secret in environment), `${name} has ${secret} in its environment`);
    }
  });

  it('gives each secret to its readers only', () => {
    const readers = (volume: string) =>
      services
        .filter(([, { volumes = [] }]) => volumes.some((mount) => mount.startsWith(`${volume}:`)))
        .map(([n]) => n);
    assert.deepEqual(readers('api-secret'), ['init', 'api']);
    assert.deepEqual(readers('admin-secret'), ['init', 'board']);
    assert.deepEqual(readers('postgres-secret'), ['init', 'postgres', 'log']);
    assert.deepEqual(readers('grafana-secret'), ['init', 'grafana']);
  });

  it('shares the folder of blobs between all who read or write them', () => {
    for (const name of ['api', 'worker', 'worker-gpu', 'worker-gpu-2', 'delivery', 'log'])
      assert.ok(file.services[name]?.volumes?.includes('data:/data'), name);
  });

  it('waits longer for a program to stop than the program takes', () => {
    for (const [name, service] of programs) assert.equal(service.stop_grace_period, '30s', name);
  });

  it('runs a Redis that keeps what it acknowledged', () => {
    const conf = readFileSync(join(root, 'deploy/redis.conf'), 'utf8');
    for (const line of ['appendonly yes', 'appendfsync always', 'maxmemory-policy noeviction'])
      assert.ok(conf.split('\n').includes(line), line);
    assert.equal(file.services['redis']?.command?.[1], '/etc/millrace/redis.conf');
  });

  it('carries the version of package.json', () => {
    const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
    for (const [name, { image }] of programs) assert.ok(image.endsWith(`:${version}`), name);
  });
});
