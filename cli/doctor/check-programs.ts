/** Programs and devices: Node, ffmpeg, redis-server where it is ours to start, and the GPUs that were asked for. */
import { execFile } from 'node:child_process';
import { existsSync, globSync } from 'node:fs';
import { availableParallelism, totalmem } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { root } from '../commands/run-tool.ts';
import { installCommand } from '../setup/system-packages.mjs';
import { type Finding, fail, ok } from './finding.ts';

export type Environment = Readonly<Record<string, string | undefined>>;

const programMs = 5000;
const nodeMajorLeast = 24;

export function checkNode(version: string): Finding {
  const detail = `${version} (${nodeMajorLeast} is the least)`;
  if (Number(version.split('.')[0]) >= nodeMajorLeast) return ok('node', detail);
  return fail('node', detail, 'npm run doctor (npm brings the right one), or install Node 24: https://nodejs.org');
}

export async function checkFfmpeg(env: Environment): Promise<Finding> {
  const text = await firstLine('ffmpeg', ['-version'], env);
  if (text === undefined) return fail('ffmpeg', 'not found: audio can not be decoded', installCommand('ffmpeg', env));
  return ok('ffmpeg', /version (\S+)/.exec(text)?.[1] ?? text);
}

/** Only where REDIS_URL is absent: then npm start brings its own. */
export async function checkRedisServer(env: Environment): Promise<Finding> {
  const program = env['MILLRACE_REDIS_SERVER'] || 'redis-server';
  const text = await firstLine(program, ['--version'], env);
  const version = /v=(\d+)\.(\d+)\S*/.exec(text ?? '');
  if (!version) return fail('redis-server', `${program} not found`, installCommand('redis-server', env));
  const [number, major, minor] = version;
  const detail = `${number.slice(2)}, not running (npm start starts it)`;
  if (Number(major) > 6 || (Number(major) === 6 && Number(minor) >= 2)) return ok('redis-server', detail);
  return fail('redis-server', `${detail}; 6.2 is the least`, installCommand('redis-server', env));
}

export async function checkDevices(devices: readonly string[], env: Environment): Promise<Finding[]> {
  const gpus = devices.some((device) => device !== 'cpu') ? await listGpus(env) : [];
  return devices.map((device) => {
    if (device === 'cpu')
      return ok('device cpu', `${availableParallelism()} cores, ${Math.round(totalmem() / 2 ** 30)} GiB`);
    return checkGpu(device, gpus);
  });
}

function checkGpu(device: string, gpus: readonly string[] | undefined): Finding {
  const name = `device ${device}`;
  const index = Number(device.split(':')[1]);
  if (!gpus) return fail(name, 'nvidia-smi does not answer: no driver, or no GPU', 'MILLRACE_DEVICES=cpu npm start');
  const gpu = gpus[index];
  if (gpu === undefined)
    return fail(
      name,
      `there are ${gpus.length} GPUs here, counted from 0`,
      `MILLRACE_DEVICES=cuda:${gpus.length - 1} npm start`,
    );
  const libraries = join(root, 'node_modules/onnxruntime-node/bin/*/linux/*/libonnxruntime_providers_cuda.so');
  if (globSync(libraries).length > 0) return ok(name, gpu);
  const script = 'node_modules/onnxruntime-node/script/install.js';
  const fix = existsSync(join(root, script)) ? `ONNXRUNTIME_NODE_INSTALL=cuda12 node ${script}` : 'npm ci';
  return fail(name, `${gpu}, but onnxruntime's CUDA files are missing`, fix);
}

/** By index; undefined without a working driver. */
async function listGpus(env: Environment): Promise<string[] | undefined> {
  try {
    const query = ['--query-gpu=name,memory.total,driver_version', '--format=csv,noheader'];
    const { stdout } = await promisify(execFile)('nvidia-smi', query, { timeout: programMs, env: { ...env } });
    return stdout.trim().split('\n');
  } catch {
    return undefined;
  }
}

async function firstLine(program: string, args: string[], env: Environment): Promise<string | undefined> {
  try {
    const { stdout } = await promisify(execFile)(program, args, { timeout: programMs, env: { ...env } });
    return stdout.split('\n')[0];
  } catch {
    return undefined;
  }
}
