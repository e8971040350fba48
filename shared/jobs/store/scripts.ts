/** Loads the Lua scripts beside this file and binds them to a connection as typed commands. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Redis } from 'ioredis';
import type { Admission } from './words.ts';

type Argument = string | number;
type Script<Reply> = (keyList: string[], argumentList: Argument[]) => Promise<Reply>;

export interface ScriptedRedis extends Redis {
  mrAdmit: Script<[Admission['verdict'], string, string?][]>;
  mrStart: Script<(0 | 1 | (string | number)[])[]>;
  mrFinish: Script<number[]>;
  mrRead: Script<string[]>;
  mrErase: Script<number>;
  mrSuspect: Script<number[]>;
  mrOffload: Script<number>;
}

const names = ['admit', 'start', 'finish', 'read', 'erase', 'suspect', 'offload'] as const;
const folder = join(import.meta.dirname, 'scripts');
const common = readFileSync(join(folder, 'common.lua'), 'utf8');
const sources = names.map((name) => ({
  command: `mr${name[0]?.toUpperCase()}${name.slice(1)}`,
  lua: `${common}\n${readFileSync(join(folder, `${name}.lua`), 'utf8')}`,
}));

/** ioredis sends EVALSHA, and EVAL once when the server does not know the script yet. */
export function defineScripts(redis: Redis): ScriptedRedis {
  const scripted = redis as unknown as Record<string, unknown>;
  for (const { command, lua } of sources) {
    const raw = `${command}Raw`;
    if (scripted[raw]) continue;
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
