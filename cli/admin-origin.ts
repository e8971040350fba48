/** Where this machine reaches the admin port of the system that the settings describe. */
import type { Settings } from '../shared/config/settings.ts';

export function adminOrigin({ adminHost, adminPort }: Pick<Settings, 'adminHost' | 'adminPort'>): string {
  const host = adminHost === '0.0.0.0' || adminHost === '::' ? '127.0.0.1' : adminHost;
  return `http://${host.includes(':') ? `[${host}]` : host}:${adminPort}`;
}
