/**
 * Job ids: `job_<shard><uuidv7 without dashes>`. The shard digit says which Redis slot group holds the job, so that
 * more shards can be added later; the v7 timestamp lets a queue's age be read from its oldest id alone.
 */
import { v7 } from 'uuid';
import { drawBytes } from '../entropy/draw-bytes.ts';

const pattern = /^job_0[0-9a-f]{12}7[0-9a-f]{19}$/;

const minted = Buffer.alloc(16);
let lastMs = 0;
let sequence = 0;

/** Later ids of a process sort behind its earlier ones, also those of the same ms. */
export function mintJobId(): string {
  const random = drawBytes(minted.length);
  const now = Date.now();
  if (now > lastMs) {
    lastMs = now;
    sequence = random.readUInt32BE(0) >>> 1; // Half of the room is left to count in.
  } else sequence++;
  v7({ random, msecs: lastMs, seq: sequence }, minted);
  return `job_0${minted.toString('hex')}`;
}

export function isJobId(value: string): boolean {
  return pattern.test(value);
}

/** Unix ms at which the id was minted. */
export function mintedAtMs(jobId: string): number {
  return Number.parseInt(jobId.slice(5, 17), 16);
}
