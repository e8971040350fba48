/**
 * One client that sends one text after the other: what a job costs in time when nobody else is there, in durable writes of
 * this machine. A job makes several that wait for each other; each is an fsync, and those differ tenfold between machines.
 */
import { median, ratioOf } from '../method/ratio.ts';
import { type Figure, round } from '../method/report.ts';
import type { RunningServer } from '../peers/servers/server.ts';
import { runClosedLoop } from './closed-loop.ts';
import { pacedSetMs } from './paced-set.ts';
import type { PlainLoop } from './plain-loop-process.ts';
import { textsOf } from './texts.ts';

const blockMs = 3000;
const loopMs = 2000;

export async function measureLoneClient(
  server: RunningServer,
  loop: PlainLoop,
  redisUrl: string,
  pairs: number,
): Promise<Figure> {
  const beyondMs: number[] = [];
  const setMs: number[] = [];
  for (let pair = 0; pair < pairs; pair++) {
    const set = await pacedSetMs(redisUrl);
    const wish = { clients: 1, itemsPerCall: 1, item: textsOf('short'), ms: blockMs };
    const p50 = median((await runClosedLoop(server.caller, wish)).latenciesMs);
    const call = 1000 / (await loop.run('short', loopMs));
    beyondMs.push(p50 - call);
    setMs.push(set);
    console.log(
      `one client, ${pair + 1}: p50 ${round(p50)} ms, plain call ${round(call)} ms, durable SET ${round(set)} ms, ${round((p50 - call) / set)} SETs beyond the call`,
    );
  }
  return {
    name: 'e2e Millrace, one client',
    ratio: ratioOf(beyondMs, setMs),
    target: '<= 10',
    meaning: 'p50 beyond the plain call, in paced durable SETs of the same run',
  };
}
