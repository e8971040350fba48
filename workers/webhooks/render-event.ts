/**
 * The body of a webhook: `{type, timestamp, data}`, where `data` is the job as it stood at that event. Pure.
 * Bodies stay below 20 kB, as Standard Webhooks asks: a larger output is left out, said so, and fetched at `urls.self`.
 */
import type { Job } from '../../shared/jobs/job.ts';
import type { JobEvent, JobRecord } from '../../shared/jobs/store/record.ts';
import { recordAt, viewJob } from '../../shared/jobs/view-job.ts';

export const bodyBytesMax = 20_000;

export interface WebhookEvent {
  readonly type: `job.${string}`;
  readonly timestamp: string;
  readonly data: Job & { readonly output_omitted?: true };
}

/** `fallback` stands in for an event that the record's own log does not have. */
export function renderEvent(record: JobRecord, fallback: JobEvent, origin: string): string {
  const event = record.events.find(({ seq }) => seq === fallback.seq) ?? fallback;
  const data = viewJob(recordAt(record, event), { origin });
  const whole = {
    type: `job.${event.name}`,
    timestamp: new Date(event.atMs).toISOString(),
    data,
  } satisfies WebhookEvent;
  const body = JSON.stringify(whole);
  if (Buffer.byteLength(body) <= bodyBytesMax || data.output === null) return body;
  return JSON.stringify({ ...whole, data: { ...data, output: null, output_omitted: true } } satisfies WebhookEvent);
}
