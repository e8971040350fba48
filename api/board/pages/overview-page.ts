/** /admin: what piles up where, whose it is, and the ways to the rest. */
import type { LiveCount } from '../../../shared/jobs/inspect-queues.ts';
import { adminPage, duration, numberHead, type PageView, table } from './frame.ts';
import { type Html, html } from './html.ts';

export interface QueueRow {
  readonly name: string;
  readonly unfinished: number;
  readonly waiting: number;
  readonly oldestSeconds: number;
}

export interface OverviewView {
  readonly queues: readonly QueueRow[];
  readonly tenants: readonly LiveCount[];
  readonly deadJobs: number;
  readonly deadEvents: number;
  readonly disabledHooks: number;
}

export function overviewPage(view: PageView, data: OverviewView): string {
  const live = data.tenants.reduce((sum, { unfinished }) => sum + unfinished, 0);
  const body = html`<div class="tiles">${tile('Unfinished jobs', live, '/admin/tenants')}${tile('Jobs set aside', data.deadJobs, '/admin/dead-letters', true)}${tile('Webhook events given up', data.deadEvents, '/admin/dead-letters#events', true)}${tile('Webhook URLs off', data.disabledHooks, '/admin/dead-letters#urls', true)}</div>
<form class="find" method="get" action="/admin/find"><input name="id" aria-label="Job id" placeholder="job_…" required><button>Find job</button></form>
<h2>Queues with work</h2>${queueTable(data.queues)}
<h2>Tenants with work</h2>${tenantTable(data.tenants.slice(0, 10))}`;
  return adminPage('Overview', view, body);
}

export function tenantsPage(view: PageView, tenants: readonly LiveCount[], queues: readonly LiveCount[]): string {
  const shownMax = 500;
  const body = html`<p>Jobs that have not ended, by who sent them and by where they wait. A tenant's page lists its newest jobs.</p>
${tenantTable(tenants.slice(0, shownMax))}${tenants.length > shownMax && html`<p class="soft">${tenants.length - shownMax} more with fewer jobs.</p>`}
<h2>By queue</h2>${countTable('queue', queues.slice(0, shownMax), queueLink)}`;
  return adminPage('Tenants', view, body);
}

function tile(name: string, count: number, url: string, isBad = false): Html {
  return html`<section class="card tile${isBad && count > 0 && ' bad'}"><a href="${url}"><span class="big">${count.toLocaleString('en')}</span><br>${name}</a></section>`;
}

function queueTable(queues: readonly QueueRow[]): Html {
  const rows = queues.map(
    ({ name, unfinished, waiting, oldestSeconds }) =>
      html`<tr><td>${queueLink(name)}</td><td class="num">${unfinished.toLocaleString('en')}</td><td class="num">${waiting.toLocaleString('en')}</td><td class="num">${waiting > 0 ? duration(oldestSeconds) : '–'}</td></tr>`,
  );
  const heads = ['Queue', numberHead('Unfinished'), numberHead('Waiting'), numberHead('Oldest waits')];
  return table(heads, rows, 'No queue holds an unfinished job.');
}

function tenantTable(tenants: readonly LiveCount[]): Html {
  return countTable(
    'tenant',
    tenants,
    (name) => html`<a href="/admin/tenants/${encodeURIComponent(name)}">${name}</a>`,
  );
}

function countTable(what: string, counts: readonly LiveCount[], link: (name: string) => Html): Html {
  const most = Math.max(1, ...counts.map(({ unfinished }) => unfinished));
  const all = counts.reduce((sum, { unfinished }) => sum + unfinished, 0);
  const rows = counts.map(
    ({ name, unfinished }) =>
      html`<tr><td>${link(name)}</td><td class="num">${unfinished.toLocaleString('en')}</td><td class="num">${Math.round((100 * unfinished) / all)} %</td><td class="barcell"><span class="bar" style="width:${((100 * unfinished) / most).toFixed(1)}%"></span></td></tr>`,
  );
  const heads = [what === 'queue' ? 'Queue' : 'Tenant', numberHead('Unfinished'), numberHead('Share'), ''];
  return table(heads, rows, `No ${what} has an unfinished job.`);
}

function queueLink(name: string): Html {
  return html`<a href="/admin/queues/queue/${encodeURIComponent(name)}">${name}</a>`;
}
