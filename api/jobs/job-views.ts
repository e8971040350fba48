/** A record as this caller sees it: URLs under the origin it used, and a way into the event stream when keys are on. */
import type { Job } from '../../shared/jobs/job.ts';
import type { JobRecord } from '../../shared/jobs/store/record.ts';
import { jobUrl, renderJob, type ViewOptions, viewJob } from '../../shared/jobs/view-job.ts';
import type { StreamTokens } from '../events/stream-tokens.ts';
import type { Call } from '../http/call.ts';
import { originOf } from '../http/origin.ts';
import type { ModelAvailability } from './model-availability.ts';

export class JobViews {
  readonly #publicUrl: string | undefined;
  readonly #tokens: StreamTokens | undefined;

  readonly #availability: ModelAvailability;

  /** `tokens` only when callers need keys. */
  constructor(publicUrl: string | undefined, tokens: StreamTokens | undefined, availability: ModelAvailability) {
    this.#publicUrl = publicUrl;
    this.#tokens = tokens;
    this.#availability = availability;
  }

  view(call: Call, record: JobRecord): Job {
    return viewJob(record, this.#optionsFor(call, record));
  }

  /** The same as JSON text. */
  render(call: Call, record: JobRecord): string {
    return renderJob(record, this.#optionsFor(call, record));
  }

  /** Where the caller finds the job. */
  locate(call: Call, record: JobRecord): string {
    return jobUrl(record.request.id, originOf(call, this.#publicUrl));
  }

  #optionsFor(call: Call, record: JobRecord): ViewOptions {
    const { tenant, id, model, modelVersion } = record.request;
    const waitsFor = record.status === 'queued' ? this.#availability.waitOf(model, modelVersion) : null;
    return {
      origin: originOf(call, this.#publicUrl),
      ...(waitsFor !== null && { waitsFor }),
      ...(this.#tokens && { eventsQuery: `?token=${this.#tokens.mint({ tenant, id })}` }),
    };
  }
}
