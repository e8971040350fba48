/** All checks in the order of the report. With wrong settings, what does not depend on them is still looked at. */
import { readSettings, type Settings, SettingsError } from '../../shared/config/settings.ts';
import { lockFileOf, readLock } from '../launcher/data-lock.ts';
import { findEmbeddedRedis, type RunningRedis } from '../launcher/embedded-redis.ts';
import { checkDataFolder } from './check-data-folder.ts';
import { checkDatabase } from './check-database.ts';
import { checkModelFolders } from './check-models.ts';
import { checkPort } from './check-ports.ts';
import { checkDevices, checkFfmpeg, checkNode, checkRedisServer, type Environment } from './check-programs.ts';
import { checkRedis } from './check-redis.ts';
import { type Finding, fail, ok } from './finding.ts';

export async function examine(env: Environment): Promise<Finding[]> {
  const findings = [checkNode(process.versions.node), await checkFfmpeg(env)];
  let settings: Settings;
  try {
    settings = readSettings(env);
  } catch (error) {
    if (!(error instanceof SettingsError)) throw error;
    return [...findings, ...settingsFaults(error)];
  }
  findings.push(ok('settings', 'no fault'), ...(await checkDevices(settings.devices, env)));
  const redis = settings.redisUrl === undefined ? findEmbeddedRedis(settings.dataDir) : named(settings.redisUrl, env);
  const mayLose = settings.unsafeRedis;
  findings.push(...(redis ? await checkRedis({ ...redis, mayLose }) : [await checkRedisServer(env)]));
  findings.push(...(await checkDataFolder(settings.dataDir)));
  if (settings.databaseUrl !== undefined) findings.push(...(await checkDatabase(settings.databaseUrl)));
  const mayRun = settings.redisUrl !== undefined || readLock(lockFileOf(settings.dataDir)).state === 'held';
  findings.push(await checkPort({ setting: 'PORT', host: settings.host, port: settings.port, mayRun }));
  findings.push(await checkPort({ setting: 'ADMIN_PORT', host: settings.adminHost, port: settings.adminPort, mayRun }));
  findings.push(...(await checkModelFolders(settings.modelDirs, Boolean(env['MODELS_DIR']), env)));
  return findings;
}

/** As it was named: the fix is a command that works as it stands. */
function named(url: string, env: Environment): RunningRedis {
  return { url, cli: `redis-cli -u "${env['REDIS_URL'] ? '$REDIS_URL' : '$(cat "$REDIS_URL_FILE")'}"` };
}

function settingsFaults(error: SettingsError): Finding[] {
  const faults = error.message.split('\n- ').slice(1);
  return faults.map((fault) => {
    const [, name = 'it'] = /([A-Z][A-Z0-9_]+)/.exec(fault) ?? [];
    return fail('settings', fault, `Correct ${name}, or: unset ${name}`);
  });
}
