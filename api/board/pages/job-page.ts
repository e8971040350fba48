/**
 * /admin/jobs/<tenant>/<id>: what became of a job, step by step. Inputs and outputs are its owner's: only how large they
 * are is shown.
 */
import type { DeliveryAttempt } from '../../../shared/jobs/deliveries.ts';
import { isOutcome, type StoredInput } from '../../../shared/jobs/job.ts';
import type { JobRecord } from '../../../shared/jobs/store/record.ts';
import type { JobRef } from '../../../shared/jobs/store/words.ts';
import { isSampled, traceIdOf } from '../../../shared/observability/trace-context.ts';
import { adminPage, confirmed, duration, jobLink, type PageView, stamp, statusTag, table } from './frame.ts';
import { type Html, html, type Part } from './html.ts';

export interface JobView {
  readonly ref: JobRef;
  readonly record: JobRecord;
  readonly deliveries: readonly DeliveryAttempt[];
  /** Of the stored input, as JSON; null when it is gone. */
  readonly inputBytes: number | null;
  /** The job that this dead letter was run again as. */
  readonly retriedAs: string | undefined;
  readonly isDead: boolean;
  readonly apiUrl: string;
}

export function jobPage(view: PageView, job: JobView): string {
  const { record, ref } = job;
  const { request } = record;
  const facts: [string, Part][] = [
    ['Status', statusTag(record.status)],
    ['Tenant', html`<a href="/admin/tenants/${encodeURIComponent(ref.tenant)}">${ref.tenant}</a>`],
    ['Task', request.task],
    ['Model', `${request.model}${record.modelVersion ? ` (version ${record.modelVersion})` : ''}`],
    ['Class', request.priority],
    ['Items', `${record.counts.total}: ${record.counts.succeeded} succeeded, ${record.counts.failed} failed`],
    ['Attempts', record.attempts],
    ['Input', inputSize(job)],
    ['Output', outputSize(record)],
    ['Webhook', request.webhook ? hostOf(request.webhook.url) : 'none'],
    ['Retried from', request.retriedFrom && jobLink(ref.tenant, request.retriedFrom)],
    ['Retried as', job.retriedAs && jobLink(ref.tenant, job.retriedAs)],
    ['Trace', traceLink(view, request.traceparent)],
    [
      'API record',
      html`<a href="${job.apiUrl}/v1/jobs/${ref.id}"><code>/v1/jobs/${ref.id}</code></a> <span class="soft">with a key of its tenant</span>`,
    ],
  ];
  const rows = facts
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => html`<dt>${name}</dt><dd>${value}</dd>`);
  const body = html`<p class="id"><code>${ref.id}</code></p>${job.isDead && deadNote(view, job)}<dl>${rows}</dl>${problem(record)}
<h2>Times</h2>${times(record)}<h2>Events</h2>${events(record)}${metadata(request.metadata)}
${request.webhook && html`<h2>Deliveries</h2>${deliveries(view, job)}`}`;
  return adminPage('Job', view, body);
}

export function retryForm(view: PageView, { tenant, id }: JobRef, items: number): Html {
  return confirmed(view, {
    name: 'Retry',
    what: `Its outcome stays. A new job of the same request and input is admitted${items > 1 ? `; all ${items} items run again` : ''}.`,
    action: '/admin/actions/retry',
    fields: { tenant, id },
  });
}

function deadNote(view: PageView, { ref, record }: JobView): Html {
  const way = record.keptInput ? retryForm(view, ref, record.request.items) : 'It can be retried once it has ended.';
  return html`<div class="note bad"><p>This job was set aside: it ended the process that ran it too often.</p>${isOutcome(record.status) && !record.keptInput ? 'Its input is gone, so it can not be retried.' : way}</div>`;
}

function inputSize({ inputBytes, record }: JobView): string {
  if (record.keptInput) return `kept, ${sizeOf(record.keptInput)}`;
  return inputBytes === null ? 'gone with the end of the job' : bytes(inputBytes);
}

function sizeOf(input: readonly StoredInput[]): string {
  const all = input.map((item) => (item.kind === 'blob' ? item.bytes : Buffer.byteLength(JSON.stringify(item))));
  return bytes(all.reduce((sum, size) => sum + size, 0));
}

function outputSize({ output, isOutputOmitted, status }: JobRecord): string {
  if (isOutputOmitted) return 'in a blob';
  if (output !== null) return bytes(Buffer.byteLength(JSON.stringify(output)));
  return isOutcome(status) ? 'none' : 'not yet';
}

function problem({ error }: JobRecord): Html | null {
  return (
    error && html`<p class="note bad"><strong>${error.title}</strong> <code>${error.type}</code><br>${error.detail}</p>`
  );
}

function times(record: JobRecord): Html {
  const { createdMs, startedMs, finishedMs, prepareSeconds, computeSeconds, batchRows } = record;
  const span = (fromMs: number | null, toMs: number | null) =>
    fromMs === null || toMs === null ? '–' : duration(Math.max(0, toMs - fromMs) / 1000);
  const rows: [string, string][] = [
    [
      'Waited in its queue',
      startedMs === null ? `${span(createdMs, finishedMs ?? Date.now())}, not started` : span(createdMs, startedMs),
    ],
    ['Prepared', prepareSeconds === null ? '–' : duration(prepareSeconds)],
    ['Computed', computeSeconds === null ? '–' : duration(computeSeconds)],
    ['Rows in its batch', batchRows === null ? '–' : String(batchRows)],
    ['From start to end', span(startedMs, finishedMs)],
    ['In all', span(createdMs, finishedMs)],
  ];
  return html`<dl>${rows.map(([name, value]) => html`<dt>${name}</dt><dd>${value}</dd>`)}</dl>`;
}

function events({ events: all }: JobRecord): Html {
  const rows = all.map(
    ({ seq, name, atMs, done }) =>
      html`<tr><td>${seq}</td><td>${name}${done !== undefined && ` ${done}`}</td><td>${stamp(atMs)}</td></tr>`,
  );
  return table(['#', 'Event', 'At'], rows, 'None.');
}

function metadata(all: Readonly<Record<string, string>> | undefined): Html | null {
  const rows = Object.entries(all ?? {}).map(([name, value]) => html`<dt>${name}</dt><dd>${value}</dd>`);
  return rows.length > 0 ? html`<h2>Metadata of its owner</h2><dl>${rows}</dl>` : null;
}

function deliveries(view: PageView, { deliveries: all, ref }: JobView): Html {
  const rows = all.map(
    (one, at) =>
      html`<tr><td>${one.event}</td><td>${one.attempt}</td><td>${one.at}</td><td>${one.host}</td><td>${one.status_code ?? one.error}</td><td>${one.ms} ms</td><td>${one.next_at ?? (all[at + 1]?.seq !== one.seq && resendForm(view, ref, one.seq))}</td></tr>`,
  );
  return table(['Event', 'Attempt', 'At', 'Receiver', 'Answer', 'Took', 'Next'], rows, 'No attempt yet.');
}

export function resendForm(view: PageView, { tenant, id }: JobRef, seq: number): Html {
  return confirmed(view, {
    name: 'Send again',
    what: 'The event is queued once more under the same webhook-id, and tried as often as a new one.',
    action: '/admin/actions/redeliver',
    fields: { tenant, id, seq: String(seq) },
  });
}

function traceLink({ jaegerUiUrl }: PageView, traceparent: string | undefined): Part {
  const trace = traceIdOf(traceparent);
  if (!trace) return 'none';
  const note = !isSampled(traceparent)
    ? 'not sampled: look in the log instead'
    : !jaegerUiUrl && 'set JAEGER_UI_URL to link it';
  const id = html`<code>${trace}</code>`;
  const shown = jaegerUiUrl ? html`<a href="${jaegerUiUrl.replace(/\/$/, '')}/trace/${trace}">${id}</a>` : id;
  return html`${shown} ${note && html`<span class="soft">${note}</span>`}`;
}

function hostOf(url: string): string {
  return URL.canParse(url) ? new URL(url).host : 'invalid';
}

function bytes(count: number): string {
  if (count < 1024) return `${count} bytes`;
  return count < 2 ** 20 ? `${(count / 1024).toFixed(1)} KiB` : `${(count / 2 ** 20).toFixed(1)} MiB`;
}
