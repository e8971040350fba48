import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { checkDataFolder, judgeFreeSpace, judgeFsync } from './check-data-folder.ts';
import type { Finding } from './finding.ts';
import { assertBroken, find } from './testing/assert-finding.ts';

const dir = mkdtempSync(join(tmpdir(), 'millrace-doctor-'));
after(() => rmSync(dir, { recursive: true, force: true }));

describe('doctor: disk and data folder', () => {
  it('is well in a new folder and leaves nothing in it but the folder of blobs', async () => {
    const dataDir = join(dir, 'data');
    const findings = await checkDataFolder(dataDir);
    assert.ok(
      findings.every(({ level }) => level !== 'fail'),
      JSON.stringify(findings),
    );
    assert.deepEqual(readdirSync(dataDir), ['blobs']);
  });

  it('writes over nothing that somebody linked there', async () => {
    const [dataDir, victim] = [join(dir, 'linked'), join(dir, 'victim')];
    mkdirSync(dataDir);
    writeFileSync(victim, 'precious');
    symlinkSync(victim, join(dataDir, `doctor-${process.pid}.tmp`));
    await checkDataFolder(dataDir);
    assert.equal(readFileSync(victim, 'utf8'), 'precious');
  });

  it('fails where nothing can be written', async () => {
    writeFileSync(join(dir, 'a-file'), '');
    assertBroken(
      find(await checkDataFolder(join(dir, 'a-file/data')), 'data folder'),
      'fail',
      /can not be written/,
      /mkdir -p/,
    );
    mkdirSync(join(dir, 'odd'));
    writeFileSync(join(dir, 'odd/blobs'), '');
    assertBroken(find(await checkDataFolder(join(dir, 'odd')), 'blob folder'), 'fail', /blobs/, /chown/);
  });

  it('names locks of launchers that are gone', async () => {
    const dataDir = join(dir, 'locked');
    mkdirSync(dataDir);
    const dead = JSON.stringify({ pid: 2 ** 22 + 1, start: '1' });
    for (const name of ['launcher.lock', 'launcher.lock.4194305']) writeFileSync(join(dataDir, name), dead);
    const [first, second] = (await checkDataFolder(dataDir)).filter(({ name }) => name === 'lock');
    assertBroken(first as Finding, 'warn', /4194305, which is gone/, /next npm start/);
    assertBroken(second as Finding, 'warn', /1 leftover/, /^rm .*launcher\.lock\.4194305$/);
  });

  it('judges room and fsync by what was measured', () => {
    assert.equal(judgeFreeSpace(50, 100, '/data').level, 'ok');
    assertBroken(judgeFreeSpace(3, 100, '/data'), 'warn', /3\.0 of 100\.0 GiB/, /du -xh/);
    assertBroken(judgeFreeSpace(0.4, 100, '/data'), 'fail', /0\.4 of/, /du -xh/);
    assert.equal(judgeFsync([1, 1, 1]).level, 'ok');
    assertBroken(judgeFsync([20, 30, 25]), 'warn', /25\.00 ms an fsync/, /SSD/);
    assert.equal(judgeFsync([200, 300, 250]).level, 'fail');
  });
});
