/** GET /v1/webhooks/secret: what signs this tenant's webhooks when a job names no secret of its own. */
import { readTenantSecret } from '../../shared/jobs/webhook-secret.ts';
import type { ApiDependencies } from '../dependencies.ts';
import type { Call } from '../http/call.ts';
import { readQuery } from '../http/query.ts';
import { sendJson } from '../http/send.ts';

export async function readWebhookSecret({ redis }: ApiDependencies, call: Call): Promise<void> {
  readQuery(call, []);
  sendJson(call, 200, { secret: await readTenantSecret(redis, call.tenant) });
}
