/** What the operator's pages share: their frame with its ways, tables, buttons, and how times and counts are written. */
import { htmlPage } from '../../openapi/page.ts';
import { type Html, html, type Part } from './html.ts';

const style = `
main.wide{max-width:72rem}nav [aria-current]{font-weight:600;color:var(--accent)}form.inline{display:inline}form.find{display:flex;gap:.5rem;margin:1rem 0;max-width:38rem}
input{font:inherit;color:inherit;background:var(--card);border:1px solid var(--line);border-radius:6px;padding:.4rem .6rem;width:100%}
button{font:inherit;color:#fff;background:#0b6e6e;border:0;border-radius:6px;padding:.4rem .9rem;cursor:pointer;white-space:nowrap}
button.plain{background:none;color:var(--accent);padding:0}button.harm{background:#a3262a}
input:focus-visible,button:focus-visible,summary:focus-visible{outline:2px solid var(--accent);outline-offset:2px}
.scroll{overflow-x:auto}td.num,th.num{text-align:right;font-variant-numeric:tabular-nums;padding-right:1.2rem}
.bar{display:block;height:.5rem;border-radius:3px;background:var(--accent);min-width:2px}td.barcell{width:35%;vertical-align:middle}
.tag{display:inline-block;border-radius:4px;padding:0 .45em;font-size:.85rem;border:1px solid var(--line);white-space:nowrap}
.tag.failed,.tag.expired{color:#fff;background:#a3262a;border-color:#a3262a}.tag.succeeded{color:#fff;background:#1c6b38;border-color:#1c6b38}
.tag.processing{color:#fff;background:#0b6e6e;border-color:#0b6e6e}.note{border-left:4px solid var(--accent);padding:.5rem 1rem;background:var(--card)}
.note.bad{border-color:#a3262a}td details{margin:0}td details form{margin:.5rem 0 .2rem}td .actions{display:flex;gap:1rem;flex-wrap:wrap}
.tiles{display:grid;grid-template-columns:repeat(auto-fill,minmax(11rem,1fr));gap:1rem;margin:1rem 0}.tiles .card{margin:0}
.big{font-size:1.8rem;font-weight:600;line-height:1.2;color:var(--fg)}dl{display:grid;grid-template-columns:11rem minmax(0,1fr);gap:.3rem 1rem;margin:.6rem 0}
dt{color:var(--soft)}dd{margin:0;overflow-wrap:anywhere}.id{overflow-wrap:anywhere}td.id{min-width:11rem;white-space:normal}
main.narrow{max-width:30rem;margin:8vh auto 0}main.narrow .card form p{margin:0 0 .7rem}.tile.bad .big{color:#c0392b}
@media (max-width:50rem){nav ul{display:flex;flex-wrap:wrap;gap:.2rem 1.1rem}nav h2{display:none}nav .brand{display:block;margin-bottom:.4rem}dl{grid-template-columns:1fr;gap:0}dd{margin-bottom:.5rem}}
`.replaceAll('\n', '');

/** What a page needs to know of the request and the installation. */
export interface PageView {
  /** Of the session, for forms; '' for a bearer, whose requests no other page can make. */
  readonly formToken: string;
  readonly links: readonly { readonly text: string; readonly url: string }[];
  readonly jaegerUiUrl: string | undefined;
}

export function adminPage(title: string, view: PageView, body: Part): string {
  const ways = [
    ['/admin', 'Overview'],
    ['/admin/queues', 'Queues'],
    ['/admin/dead-letters', 'Dead letters'],
    ['/admin/tenants', 'Tenants'],
  ];
  const way = ([url, text]: readonly string[]) =>
    html`<li><a href="${url}"${text === title && html` aria-current="page"`}>${text}</a></li>`;
  const elsewhere = view.links.map(({ text, url }) => way([url, text]));
  const frame = html`<div class="layout"><nav><a class="brand" href="/admin">Millrace</a><h2>Operate</h2><ul>${ways.map(way)}</ul>
${elsewhere.length > 0 && html`<h2>Elsewhere</h2><ul>${elsewhere}</ul>`}
${view.formToken !== '' && html`<h2>Session</h2>${form('/admin/logout', view, {}, html`<button class="plain">Log out</button>`)}`}
</nav><main class="wide" id="top"><h1>${title}</h1>${body}</main></div>`;
  return htmlPage(`${title} · Millrace`, frame.text, style);
}

/** A page for those who are not in yet. */
export function barePage(title: string, body: Part): string {
  return htmlPage(`${title} · Millrace`, html`<main class="narrow"><h1>${title}</h1>${body}</main>`.text, style);
}

/** A form that changes something. */
export function form(action: string, view: PageView, fields: Readonly<Record<string, string>>, inside: Part): Html {
  const hidden = Object.entries({ ...fields, form_token: view.formToken }).map(
    ([name, value]) => html`<input type="hidden" name="${name}" value="${value}">`,
  );
  return html`<form class="inline" method="post" action="${action}">${hidden}${inside}</form>`;
}

/** An action that asks once more before it is done. */
export function confirmed(
  view: PageView,
  wish: {
    readonly name: string;
    readonly what: Part;
    readonly action: string;
    readonly fields: Record<string, string>;
  },
): Html {
  return html`<details><summary>${wish.name} …</summary><p>${wish.what}</p>${form(wish.action, view, wish.fields, html`<button>${wish.name}</button>`)}</details>`;
}

export function table(heads: readonly (string | Html)[], rows: readonly Part[], empty: string): Html {
  if (rows.length === 0) return html`<p class="soft">${empty}</p>`;
  const cells = heads.map((head) => (typeof head === 'string' ? html`<th>${head}</th>` : head));
  return html`<div class="scroll"><table><thead><tr>${cells}</tr></thead><tbody>${rows}</tbody></table></div>`;
}

export function numberHead(text: string): Html {
  return html`<th class="num">${text}</th>`;
}

export function statusTag(status: string): Html {
  return html`<span class="tag ${status}">${status}</span>`;
}

export function jobLink(tenant: string, id: string): Html {
  return html`<a class="id" href="/admin/jobs/${encodeURIComponent(tenant)}/${encodeURIComponent(id)}"><code>${id}</code></a>`;
}

export function stamp(ms: number | null | undefined): string {
  return ms === null || ms === undefined ? '–' : new Date(ms).toISOString().replace('T', ' ').replace('Z', ' UTC');
}

export function ago(ms: number, nowMs = Date.now()): string {
  return `${duration(Math.max(0, nowMs - ms) / 1000)} ago`;
}

export function duration(seconds: number): string {
  if (seconds < 0.01) return `${Number((seconds * 1000).toFixed(1))} ms`;
  if (seconds < 1) return `${Math.round(seconds * 1000)} ms`;
  if (seconds < 120) return `${seconds.toFixed(seconds < 10 ? 1 : 0)} s`;
  if (seconds < 7200) return `${Math.round(seconds / 60)} min`;
  return seconds < 172_800 ? `${Math.round(seconds / 3600)} h` : `${Math.round(seconds / 86_400)} d`;
}

/** Older and newer pages of a list; `hasMore` when this one is full. */
export function pager(path: string, page: number, hasMore: boolean, name: string): Html {
  const link = (to: number, text: string) => html`<a href="${path}?${name}=${to}">${text}</a> `;
  return html`<p>${page > 0 && link(page - 1, '← newer')}${hasMore && link(page + 1, 'older →')}</p>`;
}
