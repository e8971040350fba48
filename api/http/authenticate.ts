/**
 * Who calls: a key becomes a tenant. Without configured keys everybody is tenant "default" (the address is loopback
 * then). Keys are compared by digest in constant time and belong in headers: one in a URL is refused by name.
 */
import { hash, timingSafeEqual } from 'node:crypto';
import type { ApiKey } from '../../shared/config/settings.ts';
import { Problem } from '../../shared/problems/problem.ts';
import type { Call } from './call.ts';

const openTenant = 'default';
const keyNames = new Set(['key', 'api_key', 'api-key', 'apikey', 'x-api-key', 'access_token', 'authorization', 'auth']);

export class Authenticator {
  readonly #keys: readonly { readonly tenant: string; readonly digest: Buffer }[];

  constructor(apiKeys: readonly ApiKey[]) {
    this.#keys = apiKeys.map(({ tenant, key }) => ({ tenant, digest: digest(key) }));
  }

  /** False when no keys are configured: everybody may do everything. */
  get isRequired(): boolean {
    return this.#keys.length > 0;
  }

  /** The caller's tenant. Throws `unauthenticated`. */
  authenticate(call: Call): string {
    if (!this.isRequired) return openTenant;
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

function keyOf(call: Call): string | undefined {
  const authorization = call.header('authorization');
  if (authorization !== undefined) return /^Bearer +(\S+)$/i.exec(authorization)?.[1];
  return call.header('x-api-key');
}

function digest(key: string): Buffer {
  return hash('sha256', key, 'buffer');
}
