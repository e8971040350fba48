/** Ports that will be listened on: free, or held by the Millrace that runs now, or by somebody else. */
import { checkPortIsFree } from '../launcher/port-check.ts';
import { type Finding, fail, ok } from './finding.ts';

const askMs = 2000;

export interface PortWish {
  readonly setting: string;
  readonly host: string;
  readonly port: number;
  /** Whether the system that these settings describe may run now: a launcher has the data folder, or containers do. */
  readonly mayRun: boolean;
}

export async function checkPort({ setting, host, port, mayRun }: PortWish): Promise<Finding> {
  const name = `port ${port}`;
  try {
    await checkPortIsFree(host, port, setting);
    return ok(name, `free (${setting})`);
  } catch (error) {
    const isMillrace = await isOurs(host, port);
    if (isMillrace && mayRun) return ok(name, `Millrace answers (${setting})`);
    const other = port < 1024 ? port + 8000 : port + 10;
    if (isMillrace)
      return fail(name, `another Millrace answers, not that of MILLRACE_DATA`, `${setting}=${other} npm start`);
    return fail(
      name,
      (error as Error).message,
      `${setting}=${other} npm start   (who has it: ss -ltnp 'sport = :${port}')`,
    );
  }
}

/** Both of our ports answer /livez, each in its own way, and say nothing else there. */
async function isOurs(host: string, port: number): Promise<boolean> {
  const reachable = host === '0.0.0.0' || host === '::' ? '127.0.0.1' : host;
  try {
    const response = await fetch(`http://${reachable.includes(':') ? `[${reachable}]` : reachable}:${port}/livez`, {
      signal: AbortSignal.timeout(askMs),
    });
    return response.ok && /^(ok|\{"status":"ok"\})\s*$/.test(await response.text());
  } catch {
    return false;
  }
}
