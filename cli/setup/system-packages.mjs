/**
 * Finds the programs that npm can not bring, and installs them where that needs nobody's leave (root on a Debian-like
 * machine). Elsewhere says the exact command to type. The one list of such programs.
 */
import { spawnSync } from 'node:child_process';
import { accessSync, constants, existsSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { runVisibly, say } from './run-visibly.mjs';
import { SetupError } from './setup-error.mjs';

const runs = ['demo', 'start', 'test', 'bench', 'nemesis'];

/**
 * `names`: any of them on PATH will do. `packages`: what each package manager calls it. `commands`: which of ours need
 * it. `isNeeded`: more conditions. `probe`: arguments with which it must end well. `isOptional`: tests that need it
 * skip and say so, so its absence stops nothing.
 */
export const programs = [
  {
    names: ['redis-server', 'valkey-server'],
    packages: { apt: 'redis-server', dnf: 'valkey', apk: 'redis', pacman: 'valkey', brew: 'redis' },
    commands: runs,
    // Tests start servers of their own, also where REDIS_URL names one for the system.
    isNeeded: (command, env) =>
      command === 'test' || !(env.REDIS_URL || env.REDIS_URL_FILE || env.MILLRACE_REDIS_SERVER),
  },
  {
    names: ['ffmpeg'],
    packages: { apt: 'ffmpeg', dnf: 'ffmpeg-free', apk: 'ffmpeg', pacman: 'ffmpeg', brew: 'ffmpeg' },
    commands: runs,
  },
  {
    names: ['ffprobe'],
    packages: { apt: 'ffmpeg', dnf: 'ffmpeg-free', apk: 'ffmpeg', pacman: 'ffmpeg', brew: 'ffmpeg' },
    commands: runs,
  },
  {
    // A test that looks for processes left behind asks it; the smallest Debian has none.
    names: ['ps'],
    packages: { apt: 'procps', dnf: 'procps-ng', apk: 'procps', pacman: 'procps-ng', brew: 'proctools' },
    commands: ['test'],
  },
  {
    // Debian keeps initdb off PATH; psql comes with the server and is on it.
    names: ['initdb', 'psql'],
    packages: {
      apt: 'postgresql',
      dnf: 'postgresql-server',
      apk: 'postgresql',
      pacman: 'postgresql',
      brew: 'postgresql',
    },
    commands: ['test'],
    isOptional: true,
  },
  {
    names: ['python3'],
    packages: { apt: 'python3-venv', dnf: 'python3', apk: 'python3', pacman: 'python', brew: 'python' },
    commands: ['test'],
    isNeeded: (_command, _env, root) =>
      existsSync(join(root, 'e2e/requirements.txt')) && !existsSync(join(root, '.millrace/test-venv/bin/python')),
    // Debian's python3 alone can not make virtual environments.
    probe: ['-c', 'import ensurepip, venv'],
    isOptional: true,
  },
  {
    // Tests of pages drive it; 300 MB, and not needed to serve.
    names: ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'],
    packages: { apt: 'chromium', dnf: 'chromium', apk: 'chromium', pacman: 'chromium', brew: 'chromium' },
    commands: ['test'],
    isOptional: true,
  },
  // Tests of monitoring watch a running system with them.
  {
    names: ['promtool'],
    packages: { apt: 'prometheus', apk: 'prometheus', pacman: 'prometheus', brew: 'prometheus' },
    commands: ['test'],
    isOptional: true,
  },
  {
    names: ['amtool'],
    packages: { apt: 'prometheus-alertmanager', apk: 'alertmanager', pacman: 'alertmanager', brew: 'alertmanager' },
    commands: ['test'],
    isOptional: true,
  },
  {
    names: ['prometheus-node-exporter'],
    packages: { apt: 'prometheus-node-exporter', pacman: 'prometheus-node-exporter' },
    commands: ['test'],
    isOptional: true,
  },
  {
    names: ['prometheus-redis-exporter'],
    packages: { apt: 'prometheus-redis-exporter' },
    commands: ['test'],
    isOptional: true,
  },
];

const installers = {
  apt: { name: 'apt-get', command: 'apt-get install -y' },
  dnf: { name: 'dnf', command: 'dnf install -y' },
  apk: { name: 'apk', command: 'apk add' },
  pacman: { name: 'pacman', command: 'pacman -S --needed' },
  brew: { name: 'brew', command: 'brew install' },
};

export async function ensureSystemPackages(command, root, env) {
  const missing = findMissing(command, root, env);
  if (missing.length === 0) return preferServer(env);
  if (process.getuid?.() === 0 && findOnPath('apt-get', env.PATH))
    await installWithApt(packagesOf(missing, 'apt'), env);
  const still = findMissing(command, root, env);
  const required = still.filter((program) => !program.isOptional);
  if (required.length > 0) throw new SetupError(explain(required, env));
  if (still.length > 0) say(`some tests will be skipped. ${explain(still, env)}`);
  preferServer(env);
}

/** Where only Valkey is there, the launcher learns its name; otherwise `redis-server` on PATH is what it starts. */
function preferServer(env) {
  if (env.MILLRACE_REDIS_SERVER || findOnPath('redis-server', env.PATH)) return;
  const valkey = findOnPath('valkey-server', env.PATH);
  if (valkey) env.MILLRACE_REDIS_SERVER = valkey;
}

/** The first of `names` on PATH, as an absolute path. */
export function findOnPath(name, path = '') {
  for (const folder of path.split(delimiter)) {
    const file = join(folder || '.', name);
    try {
      accessSync(file, constants.X_OK);
      return file;
    } catch {
      // not here: look in the next folder
    }
  }
  return undefined;
}

function findMissing(command, root, env) {
  return programs.filter(
    (program) =>
      program.commands.includes(command) &&
      (program.isNeeded?.(command, env, root) ?? true) &&
      !program.names.some((name) => isUsable(findOnPath(name, env.PATH), program.probe)),
  );
}

function isUsable(file, probe) {
  if (!file) return false;
  return !probe || spawnSync(file, probe, { stdio: 'ignore', timeout: 10_000 }).status === 0;
}

function packagesOf(missing, manager) {
  return [...new Set(missing.map((program) => program.packages[manager]).filter(Boolean))];
}

async function installWithApt(packages, env) {
  say(`installing ${packages.join(', ')} (apt-get)`);
  const options = { env: { ...env, DEBIAN_FRONTEND: 'noninteractive' } };
  const install = () =>
    runVisibly(
      'apt-get',
      ['install', '-y', '-qq', '--no-install-recommends', '-o', 'DPkg::Lock::Timeout=300', ...packages],
      options,
    );
  await withoutServiceStarts(async () => {
    const hasLists = readdirSync('/var/lib/apt/lists').some(
      (file) => file.endsWith('_Packages') || file.includes('_Packages.'),
    );
    if (hasLists && (await install()) === 0) return;
    await runVisibly('apt-get', ['update', '-qq'], options);
    await install();
  });
}

/**
 * Debian starts a service as soon as its package is there; ours is to be a child process with its own data, and nothing
 * may be left running. `policy-rc.d` with exit code 101 is Debian's way to forbid it. One that exists is respected.
 */
async function withoutServiceStarts(work) {
  const policy = '/usr/sbin/policy-rc.d';
  const isOurs = !existsSync(policy);
  if (isOurs) writeFileSync(policy, '#!/bin/sh\nexit 101\n', { mode: 0o755 });
  try {
    await work();
  } finally {
    if (isOurs) rmSync(policy, { force: true });
  }
}

function explain(missing, env) {
  const names = missing.map((program) => program.names.join(' or ')).join(', ');
  const command = commandFor(missing, env);
  if (!command) return `Not found: ${names}. Install them with your system's package manager, then run this again.`;
  return `Not found: ${names}. To install, type:\n\n  ${command}\n\nThen run this again.`;
}

/** What to type for one program of the list. */
export function installCommand(name, env) {
  const wanted = programs.filter((program) => program.names.includes(name));
  return commandFor(wanted, env) ?? `Install ${name} with your system's package manager.`;
}

function commandFor(missing, env) {
  const found = Object.entries(installers).find(([, installer]) => findOnPath(installer.name, env.PATH));
  if (!found) return undefined;
  const [manager, { command }] = found;
  const packages = packagesOf(missing, manager);
  if (packages.length === 0) return undefined;
  const sudo = manager === 'brew' || process.getuid?.() === 0 ? '' : 'sudo ';
  return `${sudo}${command} ${packages.join(' ')}`;
}
