/**
 * POST /v1/jobs/{id}/deliveries/{seq}/redeliver, GET /v1/webhooks/disabled, POST /v1/webhooks/enable: what a tenant can do
 * about webhooks that did not arrive, without an operator.
 */
import { enableHook, listDisabledHooks, type Redelivery, redeliverEvent } from '../../shared/jobs/redeliver.ts';
import { Problem } from '../../shared/problems/problem.ts';
import type { ApiDependencies } from '../dependencies.ts';
import type { Call } from '../http/call.ts';
import { parseJson } from '../http/parse-json.ts';
import { jobOf } from '../http/path-id.ts';
import { readQuery } from '../http/query.ts';
import { readBody } from '../http/read-body.ts';
import { sendJson } from '../http/send.ts';
import { found } from '../jobs/end-job.ts';
import { enableSchema, invalid } from '../jobs/job-fields.ts';

const bodyBytesMax = 16_384;

/** 202: it is in the outbox, and goes the way of every event from there. */
export async function redeliver({ redis, store }: ApiDependencies, call: Call): Promise<void> {
  const ref = jobOf(call);
  readQuery(call, []);
  found(await store.readOutline(ref));
  const result = await redeliverEvent(redis, store, ref, Number(call.parameters['seq']));
  if (result !== 'queued') throw refusal(result);
  sendJson(call, 202, { object: 'redelivery', status: result });
}

export async function listDisabled({ redis }: ApiDependencies, call: Call): Promise<void> {
  readQuery(call, []);
  const urls = await listDisabledHooks(redis, call.tenant);
  sendJson(call, 200, { object: 'list', data: urls.map((url) => ({ url })) });
}

/** Idempotent. What the URL missed is not sent by itself. */
export async function enableUrl({ redis }: ApiDependencies, call: Call): Promise<void> {
  readQuery(call, []);
  const parsed = enableSchema.safeParse(parseJson(await readBody(call, bodyBytesMax)));
  if (!parsed.success) throw invalid(parsed.error.issues, '', ['url']);
  const { url } = parsed.data;
  sendJson(call, 200, { url, was_disabled: await enableHook(redis, call.tenant, url) });
}

function refusal(result: Exclude<Redelivery, 'queued'>): Problem {
  if (result === 'gone') return new Problem('gone', 'The job ended and its retention is over.');
  if (result === 'disabled') return new Problem('webhook-disabled', 'The URL answered 410 Gone and is off.');
  if (result === 'under-way') return new Problem('delivery-under-way', 'Attempts at this event go on.');
  return new Problem('not-found', 'The job has no event of this number that its webhook wants.');
}
