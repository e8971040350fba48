/**
 * Job ids: `job_<shard><uuidv7 without dashes>`. The shard digit says which Redis slot group holds the job, so that
 * more shards can be added later; the v7 timestamp lets a queue's age be read from its oldest id alone.
 */
import { v7 } from 'uuid';

const pattern = /^job_0[0-9a-f]{12}7[0-9a-f]{19}$/;

export function mintJobId(): string {
  return `job_0${v7().replaceAll('-', '')}`;
}

export function isJobId(value: string): boolean {
  return pattern.test(value);
}

/** Unix ms at which the id was minted. */
export function mintedAtMs(jobId: string): number {
  return Number.parseInt(jobId.slice(5, 17), 16);
}
