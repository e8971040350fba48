/**
 * Who may see the operator's pages: the bearer of the admin token, or a session that was opened with it. Wrong tokens are
 * counted. Knows nothing of what is behind the gate.
 */
import { bearerOf, isSameSecret } from '../../../shared/net/bearer.ts';
import type { Call } from '../../http/call.ts';
import { AttemptLimit } from './attempt-limit.ts';
import { KnownHosts } from './known-hosts.ts';
import { type Session, Sessions } from './sessions.ts';

export interface GateSettings {
  readonly token: string;
  readonly adminHost: string;
  readonly adminPort: number;
  readonly adminUrl: string | undefined;
  /** The launcher stands before this process and says who asks. */
  readonly isBehindLauncher: boolean;
}

/** `refused`: no or a wrong token, or too many of them. */
export type Admission =
  | { readonly by: 'bearer' }
  | { readonly by: 'session'; readonly session: Session }
  | { readonly by: 'nobody' }
  | { readonly by: 'refused'; readonly retryAfterSeconds: number };

export class Gatekeeper {
  readonly hosts: KnownHosts;
  readonly sessions = new Sessions();
  readonly #settings: GateSettings;
  readonly #limit = new AttemptLimit();
  readonly #cookie: string;

  constructor(settings: GateSettings) {
    this.#settings = settings;
    this.hosts = new KnownHosts(settings.adminHost, settings.adminUrl);
    // Cookies know no ports: two systems on one machine must not log each other out.
    this.#cookie = `millrace-admin-${settings.adminPort}`;
  }

  admit(call: Call, nowMs: number): Admission {
    const bearer = bearerOf(call.header('authorization'));
    if (call.header('authorization') !== undefined) {
      const verdict = this.tryToken(call, bearer ?? '', nowMs);
      return verdict === true ? { by: 'bearer' } : { by: 'refused', retryAfterSeconds: verdict };
    }
    const session = this.sessions.read(this.#cookieOf(call), nowMs);
    if (!session) return { by: 'nobody' };
    const renewed = this.sessions.renewed(session, nowMs);
    if (renewed) this.setCookie(call, renewed);
    return { by: 'session', session };
  }

  /** True for the right token; else the seconds to wait before the next try, 0 when it may come at once. */
  tryToken(call: Call, token: string, nowMs: number): true | number {
    const peer = this.peerOf(call);
    const wait = this.#limit.secondsToWait(peer, nowMs);
    if (wait > 0) return wait;
    if (isSameSecret(token, this.#settings.token)) return true;
    this.#limit.countWrong(peer, nowMs);
    return 0;
  }

  setCookie(call: Call, session: Session | null): void {
    const isSecure = this.#settings.adminUrl?.startsWith('https:') ? '; Secure' : '';
    const value = session ? this.sessions.seal(session) : '';
    const age = session ? Math.ceil((session.expiresMs - Date.now()) / 1000) : 0;
    call.response.setHeader(
      'Set-Cookie',
      `${this.#cookie}=${value}; Path=/admin; Max-Age=${age}; HttpOnly; SameSite=Strict${isSecure}`,
    );
  }

  /** The address that asks, for counting and the log. */
  peerOf(call: Call): string {
    const told = this.#settings.isBehindLauncher
      ? call.header('x-forwarded-for')?.split(',').at(-1)?.trim()
      : undefined;
    return (told || call.request.socket.remoteAddress || 'unknown').slice(0, 64);
  }

  #cookieOf(call: Call): string {
    for (const pair of (call.header('cookie') ?? '').split(';')) {
      const [name, value = ''] = pair.trim().split('=', 2);
      if (name === this.#cookie) return value;
    }
    return '';
  }
}
