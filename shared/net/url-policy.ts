/**
 * Which URLs may be fetched or called on a caller's behalf. Checks what the text alone tells (scheme, user, port, literal
 * address); the address that a name resolves to is checked on each connection by `guarded-agent.ts`.
 */
import { BlockList, isIP } from 'node:net';
import { Problem } from '../problems/problem.ts';

const urlCharactersMax = 2048;
const ports = new Set(['', '80', '443', '8080', '8443']);

/**
 * What is not the public internet (IANA special-purpose registries). A list per family: in a common one, Node compares a
 * v4 address with `::ffff:0:0/96` in its mapped form, and every v4 address is reserved.
 */
const reservedV4 = new BlockList();
for (const [net, bits] of [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.0.0.0', 24],
  ['192.0.2.0', 24],
  ['192.88.99.0', 24],
  ['192.168.0.0', 16],
  ['198.18.0.0', 15],
  ['198.51.100.0', 24],
  ['203.0.113.0', 24],
  ['224.0.0.0', 4],
  ['240.0.0.0', 4],
] as const)
  reservedV4.addSubnet(net, bits, 'ipv4');

/** Only 2000::/3 is global unicast; within it, these lead elsewhere (Teredo, documentation, 6to4). */
const globalV6 = new BlockList();
globalV6.addSubnet('2000::', 3, 'ipv6');
const reservedV6 = new BlockList();
for (const [net, bits] of [
  ['2001::', 23],
  ['2001:db8::', 32],
  ['2002::', 16],
  ['3fff::', 20],
] as const)
  reservedV6.addSubnet(net, bits, 'ipv6');

/** What MILLRACE_ALLOW_HOSTS names: hosts, host:port pairs, addresses or CIDR blocks. */
export class AllowedHosts {
  readonly #hosts = new Set<string>();
  readonly #blocks = new BlockList();

  constructor(entries: readonly string[]) {
    for (const entry of entries) {
      const [net = '', bits] = entry.split('/');
      const family = isIP(net);
      const width = family === 6 ? 128 : 32;
      if (family === 0) this.#hosts.add(entry.toLowerCase());
      else this.#blocks.addSubnet(net, Number(bits ?? width), family === 6 ? 'ipv6' : 'ipv4');
    }
  }

  /** True when the operator allows this host (with its port, or with any). */
  allows(hostname: string, port: string): boolean {
    const host = hostname.toLowerCase().replace(/\.$/, '');
    return this.#hosts.has(host) || this.#hosts.has(`${host}:${port}`) || this.#allowsAddress(host);
  }

  #allowsAddress(host: string): boolean {
    const address = host.replace(/^\[|\]$/g, '');
    const family = isIP(address);
    return family !== 0 && this.#blocks.check(address, family === 6 ? 'ipv6' : 'ipv4');
  }
}

/** True for an address outside the public internet. */
export function isReservedAddress(address: string): boolean {
  const family = isIP(address);
  if (family === 4) return reservedV4.check(address, 'ipv4');
  if (family === 6) return !globalV6.check(address, 'ipv6') || reservedV6.check(address, 'ipv6');
  return true;
}

/** Parses and checks a caller's URL. `pointer` names the field in problems. Throws Problem. */
export function checkUrl(text: string, allowed: AllowedHosts, pointer: string): URL {
  const fault = (slug: 'invalid-url' | 'unsupported-scheme' | 'blocked-address', detail: string) =>
    new Problem(slug, detail, { errors: [{ pointer, detail }] });
  if (text.length > urlCharactersMax)
    throw fault('invalid-url', `The URL has ${text.length} characters; ${urlCharactersMax} are the most.`);
  if (!URL.canParse(text)) throw fault('invalid-url', 'The URL does not parse.');
  const url = new URL(text);
  if (url.protocol !== 'http:' && url.protocol !== 'https:') {
    throw fault('unsupported-scheme', `The scheme is "${url.protocol.slice(0, 20)}"; http and https are fetched.`);
  }
  if (url.username || url.password)
    throw fault('invalid-url', 'The URL names a user; credentials in URLs are refused.');
  const port = url.port || (url.protocol === 'https:' ? '443' : '80');
  if (allowed.allows(url.hostname, port)) return url;
  if (!ports.has(url.port)) {
    const next = `Use one of these, or have the operator add ${url.host} to MILLRACE_ALLOW_HOSTS.`;
    throw fault('invalid-url', `Port ${url.port} is not one of 80, 443, 8080, 8443. ${next}`);
  }
  const host = url.hostname.replace(/^\[|\]$/g, '').replace(/\.$/, '');
  if (host === 'localhost' || host.endsWith('.localhost') || (isIP(host) !== 0 && isReservedAddress(host))) {
    const next = `Use a public host, or have the operator add ${url.hostname} to MILLRACE_ALLOW_HOSTS.`;
    throw fault('blocked-address', `${url.hostname} is a private or reserved address. ${next}`);
  }
  return url;
}
