/** GET /v1/jobs/{id}: the job as it is now, or, with `Prefer: wait`, as soon as it has ended. */
import type { ApiDependencies } from '../dependencies.ts';
import type { Call } from '../http/call.ts';
import { jobOf } from '../http/path-id.ts';
import { preferredWait } from '../http/prefer.ts';
import { readQuery } from '../http/query.ts';
import { sendJsonText } from '../http/send.ts';
import { found } from '../jobs/end-job.ts';
import { OutcomeWait } from '../jobs/wait-for-outcome.ts';

export async function readJob(parts: ApiDependencies, call: Call): Promise<void> {
  const ref = jobOf(call);
  readQuery(call, []);
  const seconds = preferredWait(call.header('prefer'));
  if (seconds === 0) return sendJsonText(call, 200, parts.views.render(call, found(await parts.store.read(ref))));
  const wait = new OutcomeWait(parts, ref);
  try {
    const record = found(await wait.run(seconds * 1000, call.disconnectSignal()));
    sendJsonText(call, 200, parts.views.render(call, record), { 'Preference-Applied': `wait=${seconds}` });
  } finally {
    wait.stop();
  }
}
