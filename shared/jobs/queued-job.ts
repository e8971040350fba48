/** What a queue carries of a job: a reference. Everything else is in the store. */
import type { JobRequest } from './job.ts';

/** The whole payload of a BullMQ job; its id is the job's. */
export interface QueuedJob {
  /** tenant */
  readonly t: string;
  /** Version of the model that it wishes; absent for whichever serves when it is claimed. */
  readonly v?: string;
}

export function referenceTo({ tenant, modelVersion }: Pick<JobRequest, 'tenant' | 'modelVersion'>): QueuedJob {
  return { t: tenant, ...(modelVersion !== undefined && { v: modelVersion }) };
}
