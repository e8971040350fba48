/**
 * Under which names the admin port may be asked for. A page elsewhere can point a name of its own at the loopback (DNS
 * rebinding) and would then be of one origin with us; an address in the Host header can not be pointed anywhere. Pure.
 */
import { isIP } from 'node:net';

export class KnownHosts {
  readonly #names: ReadonlySet<string>;

  /** `adminUrl`: the origin that a proxy shows; its name is ours too. */
  constructor(adminHost: string, adminUrl: string | undefined) {
    this.#names = new Set(['localhost', adminHost.toLowerCase(), ...(adminUrl ? [new URL(adminUrl).hostname] : [])]);
  }

  has(hostHeader: string | undefined): boolean {
    const name = nameOf(hostHeader ?? '');
    return this.#names.has(name) || name.endsWith('.localhost') || isIP(name.replace(/^\[|\]$/g, '')) !== 0;
  }
}

/** False for a request that a page of another origin made: browsers say so, and nothing else sends these headers. */
export function isSameOrigin(headers: { readonly [name: string]: string | undefined }): boolean {
  const site = headers['sec-fetch-site'];
  if (site !== undefined && site !== 'same-origin' && site !== 'none') return false;
  const { origin, host } = headers;
  if (origin === undefined) return true;
  // The scheme may differ: TLS can end before us.
  return URL.canParse(origin) && new URL(origin).host === host?.toLowerCase();
}

function nameOf(hostHeader: string): string {
  return hostHeader.toLowerCase().replace(/:\d+$/, '').replace(/\.$/, '');
}
