/** The way in: one field for the token. */
import { basename } from 'node:path';
import { barePage } from './frame.ts';
import { html } from './html.ts';

export interface LoginView {
  readonly next: string;
  readonly fault: string | undefined;
  /** Where a token lies that nobody chose. Strangers see this page: the folder is not told. */
  readonly tokenFile: string | undefined;
}

export function loginPage({ next, fault, tokenFile }: LoginView): string {
  const where = tokenFile
    ? html`The token was printed at the start, and is kept in <code>${basename(tokenFile)}</code> of the data folder.`
    : html`The token is the setting <code>ADMIN_TOKEN</code>.`;
  return barePage(
    'Log in',
    html`<section class="card">${fault && html`<p class="note bad" role="alert">${fault}</p>`}
<form method="post" action="/admin/login"><input type="hidden" name="next" value="${next}">
<p><label for="token">Admin token</label></p>
<p><input id="token" name="token" type="password" autocomplete="current-password" required autofocus></p>
<p><button>Log in</button></p></form><p class="soft">${where} Scripts send it as <code>Authorization: Bearer</code>.</p></section>`,
  );
}
