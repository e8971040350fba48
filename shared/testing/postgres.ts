/** A real PostgreSQL for tests: own port, own folder, durable, gone afterwards. Runs as `postgres` where we are root. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { globSync } from 'node:fs';
import { chown, mkdtemp, rm } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { signalPid } from '../processes/signal-pid.ts';
import { endProcess } from './end-process.ts';
import { isExecutable } from './find-tool.ts';
import { freePort } from './free-port.ts';
import { waitUntil } from './wait-until.ts';

export interface TestPostgres {
  readonly url: string;
  readonly port: number;
  /** kill -9 of the server; its data stay. */
  kill(): Promise<void>;
  /** Stops (SIGSTOP) or continues every process of the server: alive, and answering nothing. */
  freeze(isFrozen: boolean): void;
  /** Starts it again on the same port and data. */
  restart(): Promise<void>;
  stop(): Promise<void>;
}

/** Debian keeps the server's programs off PATH. */
function binFolder(): string | null {
  const folders = [
    ...(process.env['PATH'] ?? '').split(delimiter),
    ...globSync('/usr/lib/postgresql/*/bin').sort().reverse(),
  ];
  return (
    folders.find((folder) => isExecutable(join(folder, 'initdb')) && isExecutable(join(folder, 'postgres'))) ?? null
  );
}

/** For node:test's `skip`: how to get the server when it is absent, else false. */
export function skipWithoutPostgres(): string | false {
  return binFolder() ? false : 'PostgreSQL is absent: apt-get install -y postgresql';
}

export async function startTestPostgres(): Promise<TestPostgres> {
  const bin = binFolder();
  if (!bin) throw new Error('PostgreSQL is absent.');
  const port = await freePort();
  const dir = await mkdtemp(join(tmpdir(), 'millrace-postgres-'));
  const owner = process.getuid?.() === 0 ? ownerOf() : null;
  if (owner) await chown(dir, owner.uid, owner.gid);
  const data = join(dir, 'data');
  const asOwner = owner ? ['setpriv', `--reuid=${owner.uid}`, `--regid=${owner.gid}`, '--clear-groups'] : [];
  const [initdb = '', ...initArguments] = [
    ...asOwner,
    join(bin, 'initdb'),
    '-D',
    data,
    '-U',
    'millrace',
    '-A',
    'trust',
    '-E',
    'UTF8',
    '--locale=C',
    '--no-sync',
  ];
  execFileSync(initdb, initArguments, { stdio: 'ignore', cwd: '/' });
  const options = [
    '-D',
    data,
    '-p',
    String(port),
    '-c',
    'listen_addresses=127.0.0.1',
    '-c',
    `unix_socket_directories=${dir}`,
  ];
  const [command = '', ...startArguments] = [...asOwner, join(bin, 'postgres'), ...options];
  let child: ChildProcess;
  const start = async () => {
    child = spawn(command, startArguments, { stdio: 'ignore', cwd: '/', detached: true });
    await waitUntil('PostgreSQL answers', () => answers(port));
  };
  await start();
  return {
    url: `postgres://millrace@127.0.0.1:${port}/postgres`,
    port,
    async kill() {
      const backends = childrenOf(child.pid as number);
      await endProcess(child);
      // They end by themselves when they see it, unless they are frozen.
      for (const pid of backends) signalPid(pid, 'SIGKILL');
      await waitUntil('no process of the server is left', () => !backends.some((pid) => signalPid(pid, 0)));
    },
    freeze(isFrozen) {
      for (const pid of [child.pid as number, ...childrenOf(child.pid as number)])
        signalPid(pid, isFrozen ? 'SIGSTOP' : 'SIGCONT');
    },
    restart: start,
    async stop() {
      // Fast shutdown: open connections are cut.
      await endProcess(child, 'SIGINT');
      await rm(dir, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}

function ownerOf(): { uid: number; gid: number } {
  const id = (flag: string) => Number(execFileSync('id', [flag, 'postgres'], { encoding: 'utf8' }));
  return { uid: id('-u'), gid: id('-g') };
}

function childrenOf(pid: number): number[] {
  const found = execFileSync('ps', ['-o', 'pid=', '--ppid', String(pid)], { encoding: 'utf8' });
  return found.split('\n').map(Number).filter(Boolean);
}

/** An SSL request is answered as soon as connections are taken: the smallest question there is. */
async function answers(port: number): Promise<boolean> {
  return await new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    const end = (isThere: boolean) => {
      socket.destroy();
      resolve(isThere);
    };
    socket
      .once('error', () => end(false))
      .once('close', () => end(false))
      .once('data', () => end(true));
    socket.once('connect', () => socket.write(Buffer.from([0, 0, 0, 8, 0x04, 0xd2, 0x16, 0x2f])));
  });
}
