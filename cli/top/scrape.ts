/** Fetches metrics pages. One name may stand for several containers (`worker`, scaled): each address is asked. */
import { lookup } from 'node:dns/promises';
import { Snapshot } from './snapshot.ts';

const pageMs = 5000;

export class CanNotConnect extends Error {}

export async function scrape(urls: readonly string[], token: string | undefined): Promise<Snapshot> {
  const pages = await Promise.all(
    (await Promise.all(urls.map(everyAddress))).flat().map((url) => fetchPage(url, token)),
  );
  return new Snapshot(pages, performance.now());
}

async function everyAddress(address: string): Promise<string[]> {
  const url = new URL(address);
  if (url.protocol !== 'http:') return [address];
  const name = url.hostname.replace(/^\[|\]$/g, '');
  const found = await lookup(name, { all: true }).catch(() => [{ address: name, family: 0 }]);
  const ofOneFamily = found.filter(({ family }) => family === found[0]?.family);
  return ofOneFamily.map(({ address: ip }) => {
    const one = new URL(url);
    one.hostname = ip.includes(':') ? `[${ip}]` : ip;
    return one.href;
  });
}

async function fetchPage(url: string, token: string | undefined): Promise<string> {
  const headers = token === undefined ? {} : { Authorization: `Bearer ${token}` };
  try {
    const response = await fetch(url, { headers, signal: AbortSignal.timeout(pageMs) });
    if (response.status === 401)
      throw new CanNotConnect(`${url} asks for the admin token. Set ADMIN_TOKEN as the system has it, and try again.`);
    if (!response.ok)
      throw new CanNotConnect(`${url} answered ${response.status}: it is not a metrics page of Millrace.`);
    return await response.text();
  } catch (error) {
    if (error instanceof CanNotConnect) throw error;
    const cause = (error as { cause?: Error }).cause?.message ?? (error as Error).message;
    throw new CanNotConnect(
      `${url} does not answer (${cause}). Start Millrace with npm start, or name its ADMIN_HOST and ADMIN_PORT:\n  ADMIN_PORT=8091 npm run top`,
    );
  }
}
