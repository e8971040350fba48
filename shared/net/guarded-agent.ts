/**
 * The agent behind every request to a caller's URL: it connects only where the policy allows, judged by the very address
 * that the socket then uses, so that a name which changes its address between check and use (DNS rebinding) gains
 * nothing. One agent per request: no connection outlives it, and none is shared between tenants. The only door to
 * `request-filtering-agent`, which judges a second time, strictly, also where no lookup happens (literal addresses).
 */
import { lookup as systemLookup } from 'node:dns';
import { Resolver } from 'node:dns/promises';
import type { Agent } from 'node:http';
import { isIP, type LookupFunction } from 'node:net';
import { RequestFilteringHttpAgent, RequestFilteringHttpsAgent } from 'request-filtering-agent';
import { type AllowedHosts, isReservedAddress } from './url-policy.ts';

/** Two tries of 3 s: a name server that does not answer costs less than the deadline of any request. */
const resolverOptions = { timeout: 3000, tries: 2 } as const;

/** What a test puts in place of the name servers of this machine. */
export type NameResolver = Pick<Resolver, 'resolve4' | 'resolve6'>;

interface Address {
  readonly address: string;
  readonly family: 4 | 6;
}

class BlockedAddressError extends Error {
  constructor(hostname: string) {
    super(`${hostname} leads to a private or reserved address.`);
  }
}

export function guardedAgent(url: URL, allowed: AllowedHosts, resolver?: NameResolver): Agent {
  const port = url.port || (url.protocol === 'https:' ? '443' : '80');
  const hostAllowed = allowed.allows(url.hostname, port);
  // The library refuses every special address that is not on this list; the lookup below extends it by the exact
  // addresses that the operator allows, before the library looks.
  const literal = url.hostname.replace(/^\[|\]$/g, '');
  // Addresses only: over a name on its list the library prints a stack trace per request.
  const allowIPAddressList = hostAllowed && isIP(literal) ? [literal] : [];
  const judge = (hostname: string, addresses: readonly Address[]) => {
    for (const { address } of addresses) {
      if (hostAllowed || allowed.allows(address, port)) allowIPAddressList.push(address);
      else if (isReservedAddress(address)) throw new BlockedAddressError(hostname);
    }
  };
  const lookup: LookupFunction = (hostname, options, done) => {
    const answer = (addresses: readonly Address[]) => {
      judge(hostname, addresses);
      if (options.all) return () => done(null, addresses.map((entry) => ({ ...entry })) as never);
      return () => done(null, addresses[0]?.address ?? '', addresses[0]?.family);
    };
    const find = hostAllowed ? lookUpLikeSystem(hostname) : resolveName(hostname, resolver);
    find.then(answer).then(
      (deliver) => deliver(),
      (error: NodeJS.ErrnoException) => done(error, ''),
    );
  };
  const options = { keepAlive: false, maxSockets: 1, lookup, allowIPAddressList };
  return url.protocol === 'https:' ? new RequestFilteringHttpsAgent(options) : new RequestFilteringHttpAgent(options);
}

/** True when the connection was refused by policy, here or in the library (which throws plain errors). */
export function isBlocked(error: unknown): boolean {
  return (
    error instanceof BlockedAddressError || (error instanceof Error && /is not allowed\. Because/.test(error.message))
  );
}

/**
 * Asks the name servers itself. `dns.lookup` would hold one of four pool threads for as long as a caller's name server
 * cares to be silent, and would complete short names with the machine's own search domains.
 */
async function resolveName(
  hostname: string,
  resolver: NameResolver = new Resolver(resolverOptions),
): Promise<Address[]> {
  const [v4, v6] = await Promise.allSettled([resolver.resolve4(hostname), resolver.resolve6(hostname)]);
  const addresses: Address[] = [];
  if (v4.status === 'fulfilled') addresses.push(...v4.value.map((address) => ({ address, family: 4 }) as const));
  if (v6.status === 'fulfilled') addresses.push(...v6.value.map((address) => ({ address, family: 6 }) as const));
  if (addresses.length === 0) throw v4.status === 'rejected' ? v4.reason : new Error(`${hostname} has no address.`);
  return addresses;
}

/** For hosts that the operator named: they may stand in the machine's hosts file. */
async function lookUpLikeSystem(hostname: string): Promise<Address[]> {
  return await new Promise((resolve, reject) => {
    systemLookup(hostname, { all: true }, (error, found) =>
      error ? reject(error) : resolve(found.map(({ address, family }) => ({ address, family: family === 6 ? 6 : 4 }))),
    );
  });
}
