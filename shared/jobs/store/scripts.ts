/** Loads the Lua scripts beside this file and binds them to a connection as typed commands. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Redis } from 'ioredis';
import { keys } from '../keys.ts';
import type { Admission } from './words.ts';

type Argument = string | number;
type Script<Reply> = (keyList: string[], argumentList: Argument[]) => Promise<Reply>;

export interface ScriptedRedis extends Redis {
  mrAdmit: Script<[Admission['verdict'], string, string?][]>;
  mrClaim: Script<[number, number, ...(string | number)[][]]>;
  mrLeave: Script<number>;
  mrStrays: Script<[string, string, string][]>;
  mrPutBack: Script<number>;
  mrFinish: Script<number[]>;
  mrRead: Script<string[]>;
  mrErase: Script<number>;
  mrSuspect: Script<number[]>;
  mrOffload: Script<number>;
}

const names = [
  'admit',
  'claim',
  'leave',
  'strays',
  'put-back',
  'finish',
  'read',
  'erase',
  'suspect',
  'offload',
] as const;
const folder = join(import.meta.dirname, 'scripts');
const readScript = (name: string) => readFileSync(join(folder, `${name}.lua`), 'utf8');
/** Keys that only a script learns of: made from their TypeScript builders, with Lua expressions in the place of names. */
const keyBuilders = `
local queue_prefix = '${keys.queuePrefix}'
local function job_key(tenant, id) return '${keys.job("' .. tenant .. '", "' .. id .. '")}' end
local function items_key(tenant, id) return '${keys.items("' .. tenant .. '", "' .. id .. '")}' end
local function idle_key(queue) return '${keys.idle("' .. queue .. '")}' end
local function handover_key(queue, worker) return '${keys.handover("' .. queue .. '", "' .. worker .. '")}' end
local function alive_key(worker) return '${keys.workerAlive("' .. worker .. '")}' end
`;
const common = [keyBuilders, readScript('common'), readScript('queues'), readScript('handover')].join('\n');
const sources = names.map((name) => ({ command: commandOf(name), lua: `${common}\n${readScript(name)}` }));

/** put-back -> mrPutBack */
function commandOf(name: string): string {
  return `mr-${name}`.replace(/-(\w)/g, (_, letter: string) => letter.toUpperCase());
}

const scriptedClients = new WeakSet<Redis>();

/** ioredis sends EVALSHA, and EVAL once when the server does not know the script yet. */
export function defineScripts(redis: Redis): ScriptedRedis {
  if (scriptedClients.has(redis)) return redis as ScriptedRedis;
  scriptedClients.add(redis);
  const scripted = redis as unknown as Record<string, unknown>;
  for (const { command, lua } of sources) {
    const raw = `${command}Raw`;
    redis.defineCommand(raw, { lua });
    scripted[command] = (keyList: string[], argumentList: Argument[]) =>
      (scripted[raw] as (...all: Argument[]) => Promise<unknown>).call(
        redis,
        keyList.length,
        ...keyList,
        ...argumentList,
      );
  }
  return redis as ScriptedRedis;
}
