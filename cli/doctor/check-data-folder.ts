/** The data folder: writable, with room, on a disk that syncs in time, without locks of dead launchers. */
import { randomUUID } from 'node:crypto';
import { access, constants, mkdir, open, readdir, rm, statfs } from 'node:fs/promises';
import { join } from 'node:path';
import { lockFileOf, readLock } from '../launcher/data-lock.ts';
import { type Finding, fail, type Level, levelOf, ok, warn } from './finding.ts';

const gib = 2 ** 30;
const freeGibWarn = 5;
const freeGibFail = 1;
/** Every job is acknowledged after an fsync of Redis: 0.2 to 4 ms on the disks measured. */
const fsyncMsWarn = 10;
const fsyncMsFail = 100;
const fsyncRounds = 15;

export async function checkDataFolder(dataDir: string): Promise<Finding[]> {
  try {
    await mkdir(dataDir, { recursive: true });
    await access(dataDir, constants.W_OK);
  } catch (error) {
    const fix = `mkdir -p ${dataDir} && chown "$(id -un)" ${dataDir}, or set MILLRACE_DATA`;
    return [fail('data folder', `${dataDir} can not be written: ${(error as Error).message}`, fix)];
  }
  return [
    ok('data folder', dataDir),
    await freeSpace(dataDir),
    await fsyncTime(dataDir),
    await blobFolder(dataDir),
    ...(await locks(dataDir)),
  ];
}

async function freeSpace(dataDir: string): Promise<Finding> {
  const { bavail, blocks, bsize } = await statfs(dataDir);
  return judgeFreeSpace((bavail * bsize) / gib, (blocks * bsize) / gib, dataDir);
}

export function judgeFreeSpace(freeGib: number, totalGib: number, dataDir: string): Finding {
  const detail = `${freeGib.toFixed(1)} of ${totalGib.toFixed(1)} GiB free`;
  const fix = `See what takes it: du -xh --max-depth=2 ${dataDir} | sort -h | tail`;
  if (freeGib < freeGibFail) return fail('disk space', detail, fix);
  return freeGib < freeGibWarn ? warn('disk space', detail, fix) : ok('disk space', detail);
}

/** Appends and syncs, as redis-server does for every job. */
async function fsyncTime(dataDir: string): Promise<Finding> {
  // A new file, and never what somebody linked there.
  const path = join(dataDir, `doctor-${randomUUID()}.tmp`);
  const file = await open(path, 'wx', 0o600);
  const times: number[] = [];
  try {
    for (let round = 0; round < fsyncRounds; round++) {
      const startedMs = performance.now();
      await file.write(Buffer.alloc(512));
      await file.datasync();
      times.push(performance.now() - startedMs);
    }
  } finally {
    await file.close();
    await rm(path, { force: true });
  }
  return judgeFsync(times);
}

export function judgeFsync(times: readonly number[]): Finding {
  const sorted = [...times].sort((a, b) => a - b);
  const median = sorted[Math.floor(sorted.length / 2)] ?? 0;
  const detail = `${median.toFixed(2)} ms an fsync, ${(sorted.at(-1) ?? 0).toFixed(1)} ms at most of ${times.length}`;
  const level: Level = levelOf(median, fsyncMsWarn, fsyncMsFail);
  const fix = 'Put MILLRACE_DATA on a local SSD: MILLRACE_DATA=/path/on/ssd npm start';
  return level === 'ok' ? ok('disk fsync', detail) : { name: 'disk fsync', level, detail, fix };
}

async function blobFolder(dataDir: string): Promise<Finding> {
  const folder = join(dataDir, 'blobs');
  const path = join(folder, `doctor-${process.pid}.tmp`);
  try {
    await mkdir(folder, { recursive: true });
    await (await open(path, 'wx')).close();
    await rm(path);
    return ok('blob folder', 'writable');
  } catch (error) {
    const fix = `chown -R "$(id -un)" ${folder} && chmod u+rwx ${folder}`;
    return fail('blob folder', `${folder}: ${(error as Error).message}`, fix);
  }
}

/** A dead launcher's lock is taken over at the next start; its half-made ones only lie about. */
async function locks(dataDir: string): Promise<Finding[]> {
  const lock = readLock(lockFileOf(dataDir));
  const left = (await readdir(dataDir)).filter((name) => /^launcher\.lock\.(\d+|claim)$/.test(name));
  const dead = left.map((name) => join(dataDir, name)).filter((file) => readLock(file).state === 'dead');
  const found: Finding[] = [];
  if (lock.state === 'held') found.push(ok('lock', `held by the launcher, process ${lock.pid}`));
  if (lock.state === 'free') found.push(ok('lock', 'free: no launcher runs on this folder'));
  if (lock.state === 'dead')
    found.push(warn('lock', `left behind by process ${lock.pid}, which is gone`, 'The next npm start takes it over.'));
  if (dead.length > 0) found.push(warn('lock', `${dead.length} leftover lock files`, `rm ${dead.join(' ')}`));
  return found;
}
