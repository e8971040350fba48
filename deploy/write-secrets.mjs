/**
 * The `init` service of docker-compose.yml: writes random secrets into the volumes that are mounted under the folder of
 * argument 1, one volume per group of readers, and leaves alone what is there: who wants an own secret puts it there
 * first. A file appears whole or not at all; its readers are other users, so it is readable by all who have the volume.
 */
import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

const folder = process.argv[2] ?? '/secrets';
const random = () => randomBytes(24).toString('hex');

const redisPassword = keep('redis/password', random());
const postgresPassword = keep('postgres/password', random());
const files = {
  'redis/password.conf': `requirepass ${redisPassword}\n`,
  'redis/url': `redis://:${redisPassword}@redis:6379\n`,
  // The form that redis-exporter reads.
  'redis/exporter.json': `${JSON.stringify({ 'redis://redis:6379': redisPassword })}\n`,
  'postgres/url': `postgres://millrace:${postgresPassword}@postgres:5432/millrace\n`,
};
for (const [name, text] of Object.entries(files)) write(name, text);
keep('api/api-keys', `default=${random()}`);
keep('admin/admin-token', random());
keep('grafana/admin-password', random());
process.stdout.write('secrets are there\n');

/** What the file holds, which is `fallback` when it was not there. */
function keep(name, fallback) {
  const file = join(folder, name);
  if (!existsSync(file)) write(name, `${fallback}\n`);
  return readFileSync(file, 'utf8').trim();
}

function write(name, text) {
  const file = join(folder, name);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(`${file}.new`, text, { mode: 0o444 });
  renameSync(`${file}.new`, file);
}
