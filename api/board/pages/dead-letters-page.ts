/** /admin/dead-letters: what waits for a person, and what can be done about it. */
import type { DeadEvent, DeadJob, DisabledHook } from '../dead-letters.ts';
import { lettersPerPage } from '../dead-letters.ts';
import { adminPage, ago, confirmed, jobLink, numberHead, type PageView, pager, table } from './frame.ts';
import { type Html, html } from './html.ts';
import { resendForm, retryForm } from './job-page.ts';

export interface DeadLettersView {
  readonly jobs: readonly DeadJob[];
  readonly jobsPage: number;
  readonly jobCount: number;
  readonly events: readonly DeadEvent[];
  readonly eventsPage: number;
  readonly eventCount: number;
  readonly hooks: readonly DisabledHook[];
  /** What was just done. */
  readonly done: string | undefined;
}

export function deadLettersPage(view: PageView, data: DeadLettersView): string {
  const path = '/admin/dead-letters';
  const body = html`${data.done && html`<p class="note" role="status">${data.done}</p>`}
<h2 id="jobs">Jobs set aside (${data.jobCount})</h2><p class="soft">They ended the process that ran them, again and again, and failed for good. Their input is kept as long as their outcome.</p>
${table(
  ['When', 'Job', 'Tenant', 'Model', 'Reason', ''],
  data.jobs.map((letter) => jobRow(view, letter)),
  'None.',
)}
${pager(path, data.jobsPage, data.jobs.length === lettersPerPage, 'jobs')}
<h2 id="events">Webhook events given up (${data.eventCount})</h2><p class="soft">Their receivers did not take them within 76 hours.</p>
${table(
  ['When', 'Job', 'Tenant', 'Receiver', numberHead('Attempts'), 'Last answer', ''],
  data.events.map((letter) => eventRow(view, letter)),
  'None.',
)}
${pager(path, data.eventsPage, data.events.length === lettersPerPage, 'events')}
<h2 id="urls">Webhook URLs turned off (${data.hooks.length})</h2><p class="soft">They answered 410 Gone; their tenant's events are not sent there any more.</p>
${table(
  ['Tenant', 'Receiver', 'URL', ''],
  data.hooks.map((hook) => hookRow(view, hook)),
  'None.',
)}`;
  return adminPage('Dead letters', view, body);
}

function jobRow(view: PageView, { ref, atMs, record, reason }: DeadJob): Html {
  const { request } = record ?? {};
  const retry = record?.keptInput ? retryForm(view, ref, record.request.items) : record && stillRuns();
  return html`<tr><td>${ago(atMs)}</td><td class="id">${jobLink(ref.tenant, ref.id)}</td><td>${ref.tenant}</td><td>${request?.model}</td><td>${reason}</td><td><div class="actions">${retry}${confirmed(
    view,
    {
      name: 'Dismiss',
      what: 'It leaves this list. Its outcome stays what its owner reads.',
      action: '/admin/actions/dismiss-job',
      fields: { tenant: ref.tenant, id: ref.id },
    },
  )}</div></td></tr>`;
}

function stillRuns(): Html {
  return html`<span class="soft">no input to retry with</span>`;
}

function eventRow(view: PageView, { ref, seq, queuedId, receiver, attempts, last, atMs }: DeadEvent): Html {
  return html`<tr><td>${atMs !== undefined && ago(atMs)}</td><td class="id">${jobLink(ref.tenant, ref.id)}</td><td>${ref.tenant}</td><td>${receiver}</td><td class="num">${attempts}</td><td>${last}</td><td><div class="actions">${resendForm(view, ref, seq)}${confirmed(
    view,
    {
      name: 'Dismiss',
      what: 'The event is given up for good.',
      action: '/admin/actions/dismiss-event',
      fields: { queued_id: queuedId },
    },
  )}</div></td></tr>`;
}

function hookRow(view: PageView, { tenant, host, urlHash }: DisabledHook): Html {
  return html`<tr><td>${tenant}</td><td>${host}</td><td><code>${urlHash}</code></td><td>${confirmed(view, {
    name: 'Turn on',
    what: 'New events are sent there again. What it missed is not sent by itself.',
    action: '/admin/actions/enable-url',
    fields: { tenant, url_hash: urlHash },
  })}</td></tr>`;
}
