/** /problems and /problems/{slug}: what every error's `type` resolves to, for people and, by Accept, for programs. */
import { problemCatalogue } from '../../shared/problems/catalogue.ts';
import { Problem } from '../../shared/problems/problem.ts';
import type { ProblemRow } from '../../shared/problems/rows/problem-row.ts';
import type { Call } from '../http/call.ts';
import { sendHtml, sendJson } from '../http/send.ts';
import { escapeHtml, htmlPage, prose } from '../openapi/page.ts';

const rows = Object.entries(problemCatalogue) as [string, ProblemRow][];
const cached = { 'Cache-Control': 'public, max-age=3600', Vary: 'Accept' };

export function listProblems(call: Call): void {
  if (!wantsHtml(call)) {
    sendJson(call, 200, { object: 'list', data: rows.map(view) }, cached);
    return;
  }
  const list = rows.map(
    ([slug, { status, title, meaning }]) =>
      `<tr><td><a href="/problems/${slug}"><code>${slug}</code></a></td><td><code>${status}</code></td><td><strong>${escapeHtml(title)}</strong>${prose(meaning)}</td></tr>`,
  );
  sendHtml(call, 200, page('Problems', `<h1>Problems</h1>${prose(intro)}<table>${list.join('')}</table>`), cached);
}

export function readProblem(call: Call): void {
  const found = rows.find(([slug]) => slug === call.parameters['slug']);
  if (!found) throw new Problem('not-found', 'There is no problem of this name; /problems lists them.');
  if (!wantsHtml(call)) {
    sendJson(call, 200, view(found), cached);
    return;
  }
  const [slug, { status, title, meaning, fix, retryable }] = found;
  const retry = retryable
    ? 'The same request may succeed later. Wait for `Retry-After` when it is there, else a second, doubling.'
    : 'The same request will fail again; change it first.';
  const body = `<p class="soft"><code>${slug}</code> &middot; HTTP ${status}</p><h1>${escapeHtml(title)}</h1>${prose(meaning)}<h4>What to do</h4>${prose(fix)}<h4>Trying again</h4>${prose(retry)}`;
  sendHtml(call, 200, page(title, body), cached);
}

const intro = 'Every error is a JSON object as RFC 9457 describes. Its `type` is one of these pages.';

function page(title: string, body: string): string {
  const links = '<p class="soft"><a href="/docs">Docs</a> &middot; <a href="/problems">All problems</a></p>';
  return htmlPage(`${title} - Millrace`, `<main class="page">${links}${body}</main>`);
}

function view([slug, row]: [string, ProblemRow]) {
  return { type: `/problems/${slug}`, ...row };
}

/** People's browsers name text/html; programs that do not care get JSON. */
function wantsHtml(call: Call): boolean {
  return (call.header('accept') ?? '').includes('text/html');
}
