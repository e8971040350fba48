/**
 * Server-sent events of jobs: who reads, how many may, and what each is owed. A stream is opened at a place in the job's
 * event log and ends with the outcome; a reader who does not read is cut off at 1 MB.
 */
import { isOutcome } from '../../shared/jobs/job.ts';
import type { JobStore } from '../../shared/jobs/store/job-store.ts';
import type { JobRecord } from '../../shared/jobs/store/record.ts';
import type { JobRef } from '../../shared/jobs/store/words.ts';
import { Problem } from '../../shared/problems/problem.ts';
import type { Call } from '../http/call.ts';
import { sendEmpty } from '../http/send.ts';
import { Bell } from '../jobs/bell.ts';
import { found } from '../jobs/end-job.ts';
import type { JobViews } from '../jobs/job-views.ts';
import type { JobWatcher } from '../jobs/job-watcher.ts';
import { retryAfterSeconds } from '../jobs/retry-after.ts';
import { isOver, lastSeq, type Place, planEvents } from './plan-events.ts';

export interface StreamLimits {
  /** Open streams of this process, and of one tenant. */
  readonly streamsMax: number;
  readonly perTenantMax: number;
  /** Bytes waiting for a slow reader. */
  readonly bufferBytesMax: number;
  /** Proxies close what is silent for a minute or less. */
  readonly pingEveryMs: number;
}

export const streamLimits: StreamLimits = {
  streamsMax: 2000,
  perTenantMax: 1000,
  bufferBytesMax: 2 ** 20,
  pingEveryMs: 15_000,
};

/** A lost message costs at most this. */
const lookEveryMs = 5000;

export interface StreamParts {
  readonly store: JobStore;
  readonly watcher: JobWatcher;
  readonly views: JobViews;
  /** Ends all streams: their readers come back to another process. */
  readonly stopping: AbortSignal;
}

export class JobStreams {
  readonly #parts: StreamParts;
  readonly #limits: StreamLimits;
  readonly #openByTenant = new Map<string, number>();
  #open = 0;

  constructor(parts: StreamParts, limits: StreamLimits = streamLimits) {
    this.#parts = parts;
    this.#limits = limits;
  }

  get open(): number {
    return this.#open;
  }

  /** Resolves when the stream has ended. Throws too-many-streams, not-found, gone. */
  async serve(call: Call, ref: JobRef, place: Place): Promise<void> {
    this.#enter(ref.tenant);
    const bell = new Bell();
    const unwatch = this.#parts.watcher.watch(ref, () => bell.ring());
    try {
      const record = found(await this.#parts.store.read(ref, this.#parts.watcher.channel));
      if (isOver(record, place)) return sendEmpty(call, 204);
      await this.#write(call, ref, { record, place, bell });
    } finally {
      unwatch();
      this.#leave(ref.tenant);
    }
  }

  async #write(
    call: Call,
    ref: JobRef,
    start: { readonly record: JobRecord; readonly place: Place; readonly bell: Bell },
  ): Promise<void> {
    const { response } = call;
    const signal = AbortSignal.any([call.disconnectSignal(), this.#parts.stopping]);
    call.begin(200, {
      'Content-Type': 'text/event-stream; charset=utf-8',
      'Cache-Control': 'no-cache, no-transform',
      'X-Accel-Buffering': 'no',
    });
    if (call.request.method === 'HEAD') {
      response.end();
      return;
    }
    this.#push(call, 'retry: 1000\n\n');
    const ping = setInterval(() => this.#push(call, ': ping\n\n'), this.#limits.pingEveryMs);
    let { record, place } = start;
    try {
      for (;;) {
        for (const event of planEvents(record, place)) {
          const data = JSON.stringify(this.#parts.views.view(call, event.record));
          this.#push(call, `id: ${event.id}\nevent: ${event.name}\ndata: ${data}\n\n`);
        }
        place = lastSeq(record);
        if (isOutcome(record.status) || signal.aborted) break;
        await start.bell.wait(lookEveryMs, signal);
        const next = await this.#parts.store.read(ref).catch(() => record); // Redis is away: the next look tells.
        if (next === null || next === 'gone') break;
        record = next;
      }
    } finally {
      clearInterval(ping);
      response.end();
    }
  }

  #push(call: Call, text: string): void {
    const { response } = call;
    if (response.destroyed) return;
    response.write(text);
    if (response.writableLength > this.#limits.bufferBytesMax) response.destroy();
  }

  #enter(tenant: string): void {
    const ofTenant = this.#openByTenant.get(tenant) ?? 0;
    if (this.#open >= this.#limits.streamsMax || ofTenant >= this.#limits.perTenantMax) {
      throw new Problem('too-many-streams', `There are ${ofTenant} open event streams. Close what is not needed.`, {
        retryAfterSeconds: retryAfterSeconds(5),
      });
    }
    this.#open++;
    this.#openByTenant.set(tenant, ofTenant + 1);
  }

  #leave(tenant: string): void {
    this.#open--;
    const ofTenant = (this.#openByTenant.get(tenant) ?? 1) - 1;
    if (ofTenant === 0) this.#openByTenant.delete(tenant);
    else this.#openByTenant.set(tenant, ofTenant);
  }
}
