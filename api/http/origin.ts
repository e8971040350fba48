/** The origin that a caller reached us under, for the URLs in answers. Pure. */
import type { Call } from './call.ts';

const hostPattern = /^[A-Za-z0-9.:[\]_-]{1,255}$/;

/** `publicUrl` when the operator set one; else from the Host header; '' (relative URLs) when that is no host. */
export function originOf(call: Call, publicUrl: string | undefined): string {
  if (publicUrl !== undefined) return publicUrl;
  const host = call.header('host') ?? '';
  return hostPattern.test(host) ? `http://${host}` : '';
}
