/** GET /v1/jobs/{id}/events: the job's events as they happen, for an EventSource. */
import type { ApiDependencies } from '../dependencies.ts';
import { placeOf } from '../events/plan-events.ts';
import type { Call } from '../http/call.ts';
import { jobOf } from '../http/path-id.ts';
import { readQuery } from '../http/query.ts';

export async function streamJob(parts: ApiDependencies, call: Call): Promise<void> {
  const ref = jobOf(call);
  const { last_event_id: queried } = readQuery(call, ['token', 'last_event_id']);
  await parts.streams.serve(call, ref, placeOf(call.header('last-event-id') ?? queried));
}

/** The tenant that a token in the URL speaks for: an EventSource sends no headers. */
export function tenantOfToken(parts: ApiDependencies, call: Call): string | undefined {
  const token = call.hasQuery ? call.query.get('token') : null;
  return token === null ? undefined : parts.tokens.verify(token, call.parameters['id'] ?? '');
}
