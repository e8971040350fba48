/**
 * Sessions of operators: a signed value in a cookie, good for an hour after its last use and twelve after the login. The
 * key is this process's own: who restarts it logs everybody out. Pure: it is handed the time.
 */
import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';

const idleMs = 3_600_000;
const lifeMs = 12 * idleMs;
/** Sessions that were logged out before they lapsed; the oldest of more have lapsed, or nearly. */
const revokedMax = 10_000;

export interface Session {
  /** New at each login: what a visitor brought along before is never taken over. */
  readonly nonce: string;
  readonly loginMs: number;
  readonly expiresMs: number;
}

export class Sessions {
  readonly #key = randomBytes(32);
  readonly #revoked = new Set<string>();

  open(nowMs: number): Session {
    return { nonce: randomBytes(18).toString('base64url'), loginMs: nowMs, expiresMs: nowMs + idleMs };
  }

  /** The cookie's value. */
  seal({ nonce, loginMs, expiresMs }: Session): string {
    const body = `${nonce}.${loginMs}.${expiresMs}`;
    return `${body}.${this.#sign('session', body)}`;
  }

  /** Undefined for what is not ours, lapsed or logged out. */
  read(value: string, nowMs: number): Session | undefined {
    const [, body = '', nonce = '', loginMs, expiresMs, signature = ''] =
      /^(([\w-]{24})\.(\d{13,15})\.(\d{13,15}))\.([\w-]{43})$/.exec(value) ?? [];
    if (!isEqual(signature, this.#sign('session', body)) || this.#revoked.has(nonce)) return undefined;
    const session = { nonce, loginMs: Number(loginMs), expiresMs: Number(expiresMs) };
    return nowMs < session.expiresMs && nowMs < session.loginMs + lifeMs ? session : undefined;
  }

  /** A session with a later end, once half of its hour is over; else undefined. */
  renewed(session: Session, nowMs: number): Session | undefined {
    return session.expiresMs - nowMs < idleMs / 2 ? { ...session, expiresMs: nowMs + idleMs } : undefined;
  }

  close({ nonce }: Session): void {
    this.#revoked.add(nonce);
    const [oldest] = this.#revoked;
    if (this.#revoked.size > revokedMax && oldest !== undefined) this.#revoked.delete(oldest);
  }

  /** What every form of this session carries: a page elsewhere can not know it. */
  formToken({ nonce }: Session): string {
    return this.#sign('form', nonce);
  }

  isFormToken(session: Session, given: string): boolean {
    return isEqual(given, this.formToken(session));
  }

  #sign(purpose: 'session' | 'form', text: string): string {
    return createHmac('sha256', this.#key).update(`${purpose}:${text}`).digest('base64url');
  }
}

function isEqual(given: string, right: string): boolean {
  const [a, b] = [Buffer.from(given), Buffer.from(right)];
  return a.length === b.length && timingSafeEqual(a, b);
}
