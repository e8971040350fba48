/**
 * What an operator is shown of a queued job: the job, its tenant, how old it is and how our store sees it. Everything else
 * that a payload may hold one day stays hidden, since only what is named here is shown.
 */
import type { JobStatus } from '../../../shared/jobs/job.ts';
import { isJobId, mintedAtMs } from '../../../shared/jobs/job-id.ts';
import type { JobRef } from '../../../shared/jobs/store/words.ts';

/** Of our own record. */
export interface Glance {
  readonly id: string;
  readonly status: JobStatus | 'gone' | 'unknown';
  readonly attempts: number;
}

/** `t` and `i` as in the payloads of `shared/jobs/queues.ts` and `deliveries.ts`. */
export function refOf(data: object, queuedId: string): JobRef {
  const { t, i } = data as { readonly t?: unknown; readonly i?: unknown };
  return { tenant: typeof t === 'string' ? t : '', id: typeof i === 'string' ? i : queuedId };
}

export function linkOf(data: object, queuedId: string): string {
  const { tenant, id } = refOf(data, queuedId);
  return `/admin/jobs/${encodeURIComponent(tenant)}/${encodeURIComponent(id)}`;
}

export function describePayload(data: object, glance: Glance | undefined): Record<string, unknown> {
  const { t, i, n, o } = data as Readonly<Record<string, unknown>>;
  return {
    ...(glance && { job: glance.id }),
    tenant: typeof t === 'string' ? t : null,
    ...(glance && { status: glance.status, attempts: glance.attempts, age_seconds: ageSeconds(glance.id) }),
    ...(typeof i === 'string' && { event: Number(n), receiver: String(o) }),
    payload: 'Inputs and outputs are not shown here.',
  };
}

function ageSeconds(jobId: string): number | null {
  return isJobId(jobId) ? Math.max(0, Math.round((Date.now() - mintedAtMs(jobId)) / 1000)) : null;
}
