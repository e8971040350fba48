/** Commands in the documents name what there is: scripts, services, profiles, files in containers. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { readComposeFile, root, splitMount } from './compose-file.ts';

const documents = ['README.md', 'deploy/README.md', 'docker-compose.yml', 'CHANGELOG.md'];
const text = documents.map((name) => readFileSync(join(root, name), 'utf8')).join('\n');
const { services } = readComposeFile();

test('every npm command is a script', () => {
  const { scripts } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  const named = [...text.matchAll(/npm run ([a-z]+)/g)].map(([, name]) => name ?? '');
  assert.ok(named.includes('doctor') && named.includes('top'));
  assert.deepEqual(
    named.filter((name) => !(name in scripts)),
    [],
  );
});

test('every docker compose command names services and profiles that are there, and files that are mounted', () => {
  const profiles = new Set(Object.values(services).flatMap(({ profiles = [] }) => profiles));
  for (const [, profile = ''] of text.matchAll(/--profile (\w+)/g)) assert.ok(profiles.has(profile), profile);
  const commands = [...text.matchAll(/docker compose exec (?:-T )?(\w+) ([^`\n|)]+)/g)];
  assert.ok(commands.length > 4);
  for (const [line, service = '', command = ''] of commands) {
    assert.ok(service in services, line);
    const [, file] = /(\/run\/secrets\/\S+)/.exec(command) ?? [];
    if (file === undefined) continue;
    const targets = services[service]?.volumes?.map((mount) => splitMount(mount).target) ?? [];
    assert.ok(
      targets.some((target) => file.startsWith(`${target}/`)),
      line,
    );
  }
});

test('every variable of compose that a document names is one', () => {
  const compose = readFileSync(join(root, 'docker-compose.yml'), 'utf8');
  const [, often = ''] = /\*\*Often changed\*\*([\s\S]*?)\n\n/.exec(text) ?? [];
  const named = [...often.matchAll(/`([A-Z][A-Z0-9_]+)(?:=[^`]*)?`/g)].map(([, name]) => name ?? '');
  assert.ok(named.length >= 6, often);
  for (const name of named) assert.ok(compose.includes(`\${${name}:-`), name);
});
