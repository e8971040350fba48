/** The job that a path names. Another tenant's id is never looked up: its key holds the caller's tenant. */
import { isJobId } from '../../shared/jobs/job-id.ts';
import type { JobRef } from '../../shared/jobs/store/words.ts';
import { Problem } from '../../shared/problems/problem.ts';
import { notFound } from '../jobs/end-job.ts';
import type { Call } from './call.ts';

/** Throws `invalid-id` for characters that no id has, `not-found` for what is no id of ours. */
export function jobOf(call: Call): JobRef {
  const id = call.parameters['id'] ?? '';
  if (!/^[A-Za-z0-9_-]{1,100}$/.test(id)) {
    throw new Problem('invalid-id', 'The id in the path has characters that no id has.');
  }
  if (!isJobId(id)) throw notFound();
  call.job = id;
  return { tenant: call.tenant, id };
}
