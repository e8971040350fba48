/** /livez: the process answers. /readyz: jobs would be worked off; each check that fails says what to do. */
import type { ApiDependencies } from '../dependencies.ts';
import type { Call } from '../http/call.ts';
import { sendJson } from '../http/send.ts';
import { readModelStates, statusOf } from '../jobs/model-states.ts';

interface Check {
  readonly name: string;
  readonly ok: boolean;
  readonly detail: string;
  readonly fix: string | null;
}

export function livez(call: Call): void {
  sendJson(call, 200, { status: 'ok' });
}

export async function readyz(parts: ApiDependencies, call: Call): Promise<void> {
  const redis = await checkRedis(parts);
  const checks = redis.ok ? [redis, checkAdmission(parts), await checkModels(parts)] : [redis];
  const isReady = checks.every((check) => check.ok);
  const headers = isReady ? {} : { 'Retry-After': '2' };
  sendJson(call, isReady ? 200 : 503, { status: isReady ? 'ready' : 'not-ready', checks }, headers);
}

async function checkRedis({ redis, gate }: ApiDependencies): Promise<Check> {
  const fix = 'Start redis-server, or correct REDIS_URL.';
  try {
    if (!gate.isRedisThere) throw new Error('the last poll failed');
    await redis.ping();
    return { name: 'redis', ok: true, detail: 'answers', fix: null };
  } catch {
    return { name: 'redis', ok: false, detail: 'does not answer', fix };
  }
}

function checkAdmission({ gate }: ApiDependencies): Check {
  if (gate.closedFor === null) return { name: 'admission', ok: true, detail: 'open', fix: null };
  const fix = 'Let jobs finish, shorten MILLRACE_RETENTION_SECONDS, or raise MILLRACE_REDIS_MAX_MIB.';
  return { name: 'admission', ok: false, detail: `closed: ${gate.closedFor}`, fix };
}

/** One model that can run is ready enough; the others are named. */
async function checkModels({ redis, catalog }: ApiDependencies): Promise<Check> {
  const states = await readModelStates(redis);
  const statuses = catalog.models.map(({ files }) => [files.id, statusOf(states.get(files.id) ?? [])] as const);
  const waiting = statuses.filter(([, status]) => status !== 'ready').map(([id, status]) => `${id} (${status})`);
  const ready = statuses.length - waiting.length;
  const listed = waiting.slice(0, 8).join(', ') + (waiting.length > 8 ? ` and ${waiting.length - 8} more` : '');
  const detail = `${ready} of ${statuses.length} models ready${listed && `; not ready: ${listed}`}`;
  if (ready > 0) return { name: 'models', ok: true, detail, fix: null };
  if (statuses.length === 0) {
    return {
      name: 'models',
      ok: false,
      detail: 'the model repository is empty',
      fix: 'Set MODELS_DIR to a folder of models.',
    };
  }
  const fix =
    states.size === 0
      ? 'Start a worker: node workers/main.ts.'
      : 'Wait while models load; GET /v1/models shows errors.';
  return { name: 'models', ok: false, detail, fix };
}
