/** GET /v1/jobs/{id}/deliveries: every attempt to call the job's webhook. */
import { readDeliveries } from '../../shared/jobs/deliveries.ts';
import type { ApiDependencies } from '../dependencies.ts';
import type { Call } from '../http/call.ts';
import { jobOf } from '../http/path-id.ts';
import { readQuery } from '../http/query.ts';
import { sendJson } from '../http/send.ts';
import { found } from '../jobs/end-job.ts';

export async function listDeliveries(parts: ApiDependencies, call: Call): Promise<void> {
  const ref = jobOf(call);
  readQuery(call, []);
  found(await parts.store.read(ref));
  sendJson(call, 200, { object: 'list', data: await readDeliveries(parts.redis, ref) });
}
