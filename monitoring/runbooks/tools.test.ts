/** The words of the runbooks with what an attacker could put there, and for eyes that may not see keys. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, describe, it } from 'node:test';
import { promisify } from 'node:util';

const key = 'key-that-ps-must-not-show';

describe('the words of the runbooks', { skip: process.platform !== 'linux' && 'reads /proc' }, () => {
  let server: Server;
  let authorization: string | undefined;
  let shown = '';
  before(async () => {
    server = createServer((request, response) => {
      ({ authorization } = request.headers);
      shown = processes();
      response.end('process_resident_memory_bytes{role="none",instance="1"} 1\n');
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  });
  after(() => void server.close());

  const say = async (words: string, secrets: Readonly<Record<string, string>>) => {
    const at = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const env = { PATH: process.env['PATH'], API: at, ADMIN: at, ...secrets };
    const source = `. ${import.meta.dirname}/tools.sh; ${words}`;
    return await promisify(execFile)('bash', ['-c', source], { env, timeout: 60_000 });
  };

  it('sends keys, and shows them to nobody', async () => {
    for (const [words, secret] of [
      ['api /v1/jobs', 'KEY'],
      ['restart board', 'ADMIN_TOKEN'],
    ] as const) {
      await say(words, { [secret]: key });
      assert.equal(authorization, `Bearer ${key}`, words);
      assert.match(shown, /curl/);
      assert.ok(!shown.includes(key), words);
    }
    await say('api /v1/jobs', {});
    assert.equal(authorization, undefined);
  });

  it('restarts roles only: a role is put into a program of sed', async () => {
    await assert.rejects(say(`restart 'x/;1e echo broken out;#'`, {}), /no role of Millrace/);
  });
});

function processes(): string {
  const ids = readdirSync('/proc').filter((name) => /^\d+$/.test(name));
  return ids
    .map(commandOf)
    .filter((command) => command.startsWith('curl'))
    .join('\n');
}

function commandOf(id: string): string {
  try {
    return readFileSync(`/proc/${id}/cmdline`, 'utf8').replaceAll('\0', ' ');
  } catch {
    return ''; // It has ended.
  }
}
