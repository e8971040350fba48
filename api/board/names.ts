/** Tenants and jobs as paths and forms of the operator's pages name them. */
import { isJobId } from '../../shared/jobs/job-id.ts';
import type { JobRef } from '../../shared/jobs/store/words.ts';
import { Problem } from '../../shared/problems/problem.ts';

/** Throws not-found for what no job of ours is called. */
export function jobRefOf(tenant: string | undefined, id: string | undefined): JobRef {
  if (!id || !isJobId(id)) throw new Problem('not-found', 'There is no job of this id.');
  return { tenant: tenantOf(tenant), id };
}

export function tenantOf(name: string | undefined): string {
  if (!name || !/^[A-Za-z0-9._-]{1,64}$/.test(name)) throw new Problem('not-found', 'There is no such tenant.');
  return name;
}
