/** /admin/tenants/<tenant>: its newest jobs. */
import type { JobRecord } from '../../../shared/jobs/store/record.ts';
import { adminPage, ago, jobLink, numberHead, type PageView, statusTag, table } from './frame.ts';
import { html } from './html.ts';

export interface TenantView {
  readonly tenant: string;
  readonly unfinished: number;
  readonly jobs: readonly { readonly id: string; readonly createdMs: number; readonly record: JobRecord | null }[];
}

export function tenantPage(view: PageView, { tenant, unfinished, jobs }: TenantView): string {
  const rows = jobs.map(({ id, createdMs, record }) => {
    const { request } = record ?? {};
    return html`<tr><td class="id">${jobLink(tenant, id)}</td><td>${record ? statusTag(record.status) : html`<span class="soft">retention over</span>`}</td><td>${request?.model}</td><td>${request?.priority}</td><td class="num">${request?.items}</td><td>${ago(createdMs)}</td></tr>`;
  });
  const heads = ['Job', 'Status', 'Model', 'Class', numberHead('Items'), 'Created'];
  const body = html`<p>${unfinished.toLocaleString('en')} unfinished jobs. Its newest jobs, also those that ended:</p>${table(heads, rows, 'No job of this tenant is known.')}`;
  return adminPage(`Tenant ${tenant}`, view, body);
}
