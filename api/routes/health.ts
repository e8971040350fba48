/** /livez: the process answers. /readyz: jobs would be worked off; each check that fails says what to do. */
import { broken, type Examine, examineRedis, type Health, well } from '../../shared/processes/health.ts';
import type { ApiDependencies } from '../dependencies.ts';
import type { Call } from '../http/call.ts';
import { sendJson } from '../http/send.ts';
import { readModelStates, statusOf } from '../jobs/model-states.ts';

type HealthParts = Pick<ApiDependencies, 'redis' | 'gate' | 'catalog'>;

export function livez(call: Call): void {
  sendJson(call, 200, { status: 'ok' });
}

export async function readyz({ health }: ApiDependencies, call: Call): Promise<void> {
  const report = await health.report();
  const isReady = report.status === 'ready';
  sendJson(call, isReady ? 200 : 503, report, isReady ? {} : { 'Retry-After': '2' });
}

export function addApiHealth(health: Health, parts: HealthParts): void {
  health.add('redis', examineRedis(parts.redis));
  health.add('admission', examineAdmission(parts));
  health.add('models', examineModels(parts));
}

function examineAdmission({ gate }: HealthParts): Examine {
  const fix = 'Let jobs finish, shorten MILLRACE_RETENTION_SECONDS, or raise MILLRACE_REDIS_MAX_MIB.';
  return () => (gate.closedFor === null ? well('open') : broken(`closed: ${gate.closedFor}`, fix));
}

/** One model that can run is ready enough; the others are named. */
function examineModels({ redis, catalog }: HealthParts): Examine {
  return async () => {
    const states = await readModelStates(redis);
    const statuses = catalog.models.map(({ files }) => [files.id, statusOf(states.get(files.id) ?? [])] as const);
    const waiting = statuses.filter(([, status]) => status !== 'ready').map(([id, status]) => `${id} (${status})`);
    const ready = statuses.length - waiting.length;
    const listed = waiting.slice(0, 8).join(', ') + (waiting.length > 8 ? ` and ${waiting.length - 8} more` : '');
    const detail = `${ready} of ${statuses.length} models ready${listed && `; not ready: ${listed}`}`;
    if (ready > 0) return well(detail);
    if (statuses.length === 0) return broken('the model repository is empty', 'Set MODELS_DIR to a folder of models.');
    const isNobodyThere = states.size === 0;
    const wait = 'Wait while models load; GET /v1/models shows errors.';
    return broken(detail, isNobodyThere ? 'Start a worker: node workers/main.ts.' : wait);
  };
}
