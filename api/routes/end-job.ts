/** POST /v1/jobs/{id}/cancel and DELETE /v1/jobs/{id}. */
import type { ApiDependencies } from '../dependencies.ts';
import type { Call } from '../http/call.ts';
import { jobOf } from '../http/path-id.ts';
import { sendEmpty, sendJson } from '../http/send.ts';
import { cancelJob, eraseJob } from '../jobs/end-job.ts';

/** 200 with the canceled job, the first time and each time after; 409 when it ended otherwise. */
export async function cancelJobRoute(parts: ApiDependencies, call: Call): Promise<void> {
  const record = await cancelJob(parts, jobOf(call));
  call.trace?.link(record.request.traceparent);
  sendJson(call, 200, parts.views.view(call, record));
}

/** 204: nothing of the job is left. */
export async function eraseJobRoute(parts: ApiDependencies, call: Call): Promise<void> {
  await eraseJob(parts, jobOf(call));
  sendEmpty(call, 204);
}
