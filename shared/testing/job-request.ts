/** A stored request as the API would make one: one short text, class normal, of the default tenant. */
import { type JobRequest, recordVersion } from '../jobs/job.ts';
import { mintJobId } from '../jobs/job-id.ts';

export function jobRequest(extra: Partial<JobRequest> = {}): JobRequest {
  return {
    v: recordVersion,
    id: mintJobId(),
    tenant: 'default',
    task: 'feature-extraction',
    model: 'm',
    priority: 'normal',
    list: (extra.items ?? 1) > 1,
    items: 1,
    retentionSeconds: 60,
    ...extra,
  };
}
