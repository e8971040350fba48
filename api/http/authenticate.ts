/**
 * Who calls: a key becomes a tenant. Without configured keys everybody on this machine is tenant "default" (the address
 * is loopback then), but no web page from elsewhere that a browser here shows. Keys are compared by digest in constant time and belong in headers: one in a URL is refused by name.
 */
import { hash, timingSafeEqual } from 'node:crypto';
import { isIP } from 'node:net';
import type { ApiKey } from '../../shared/config/settings.ts';
import { Problem } from '../../shared/problems/problem.ts';
import type { Call } from './call.ts';

const openTenant = 'default';
const keyNames = new Set(['key', 'api_key', 'api-key', 'apikey', 'x-api-key', 'access_token', 'authorization', 'auth']);

export class Authenticator {
  readonly #keys: readonly { readonly tenant: string; readonly digest: Buffer }[];

  readonly #publicName: string;

  /** `publicName`: the host of PUBLIC_URL, a proxy on this machine, say. */
  constructor(apiKeys: readonly ApiKey[], publicName: string) {
    this.#publicName = publicName;
    this.#keys = apiKeys.map(({ tenant, key }) => ({ tenant, digest: digest(key) }));
  }

  /** False when no keys are configured: everybody may do everything. */
  get isRequired(): boolean {
    return this.#keys.length > 0;
  }

  /** The caller's tenant. Throws `unauthenticated`, or `foreign-origin` where no keys are configured. */
  authenticate(call: Call): string {
    if (!this.isRequired) {
      if (isForeign(call, this.#publicName)) throw foreignOrigin();
      return openTenant;
    }
    const key = keyOf(call);
    const tenant = key === undefined ? undefined : this.#tenantOf(key);
    if (tenant === undefined) {
      throw new Problem(
        'unauthenticated',
        'The request has no valid API key. Send the header "Authorization: Bearer <key>".',
      );
    }
    return tenant;
  }

  /** Refuses keys in queries, wherever they are sent: they end up in logs and histories. */
  refuseKeyInUrl(call: Call): void {
    if (!call.hasQuery) return;
    for (const [name, value] of call.query) {
      if (keyNames.has(name.toLowerCase()) || (this.isRequired && this.#tenantOf(value) !== undefined)) {
        throw new Problem('key-in-url', 'Keys in URLs are refused. Send the header "Authorization: Bearer <key>".');
      }
    }
  }

  /** Looks at every key, so that the time tells nothing. */
  #tenantOf(key: string): string | undefined {
    const given = digest(key);
    let tenant: string | undefined;
    for (const known of this.#keys) if (timingSafeEqual(known.digest, given)) tenant = known.tenant;
    return tenant;
  }
}

/**
 * A foreign page reaches the loopback through its visitor's browser: by a form, which no preflight guards, or under a
 * name of its own that it points here (DNS rebinding), and may then read the answers too.
 */
function isForeign(call: Call, publicName: string): boolean {
  const name = (call.header('host') ?? '').toLowerCase().replace(/:\d+$/, '').replace(/\.$/, '');
  const isOurs = name === publicName || name === 'localhost' || name.endsWith('.localhost');
  if (!isOurs && isIP(name.replace(/^\[|\]$/g, '')) === 0) return true;
  return call.header('sec-fetch-site') === 'cross-site' && call.request.method !== 'GET';
}

function foreignOrigin(): Problem {
  return new Problem(
    'foreign-origin',
    'Without API keys only this machine is served, as localhost or by address. Set PUBLIC_URL or MILLRACE_API_KEYS.',
  );
}

function keyOf(call: Call): string | undefined {
  const authorization = call.header('authorization');
  if (authorization !== undefined) return /^Bearer +(\S+)$/i.exec(authorization)?.[1];
  return call.header('x-api-key');
}

function digest(key: string): Buffer {
  return hash('sha256', key, 'buffer');
}
