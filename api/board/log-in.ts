/** The login page, the login and the logout. */
import type { Call } from '../http/call.ts';
import { sendEmpty, sendHtml } from '../http/send.ts';
import { nextPath } from './access/next-path.ts';
import type { BoardParts, Visit } from './board-parts.ts';
import { loginPage } from './pages/login-page.ts';
import { readForm } from './read-form.ts';

export function showLogin({ tokenFile }: BoardParts, call: Call): void {
  sendHtml(call, 200, loginPage({ next: nextPath(call.query.get('next')), fault: undefined, tokenFile }));
}

export async function logIn({ gate, tokenFile, logger }: BoardParts, call: Call): Promise<void> {
  const form = await readForm(call);
  const next = nextPath(form.get('next'));
  const nowMs = Date.now();
  const verdict = gate.tryToken(call, form.get('token') ?? '', nowMs);
  const peer = gate.peerOf(call);
  if (verdict === true) {
    gate.setCookie(call, gate.sessions.open(nowMs));
    logger.info({ peer }, 'operator logged in');
    return sendEmpty(call, 303, { Location: next });
  }
  logger.warn({ peer, waitSeconds: verdict }, 'login refused');
  if (verdict > 0) {
    const fault = `Too many wrong tokens. Try again in ${verdict} s.`;
    return sendHtml(call, 429, loginPage({ next, fault, tokenFile }), { 'Retry-After': String(verdict) });
  }
  sendHtml(call, 401, loginPage({ next, fault: 'That is not the token.', tokenFile }));
}

export function logOut({ gate }: BoardParts, { call, session }: Visit): void {
  if (session) gate.sessions.close(session);
  gate.setCookie(call, null);
  sendEmpty(call, 303, { Location: '/admin/login' });
}
