/**
 * The whole way over HTTP, as users have it: texts in, vectors out, with Redis durable and watching on at its defaults, over
 * the plain loop of one text per call in the same run. And the peers on the same machine with the same model file, each
 * over that loop too.
 */

import { cpuSeconds } from '../method/cpu-time.ts';
import type { BenchOptions } from '../method/options.ts';
import { measurePairs, median, ratioOf } from '../method/ratio.ts';
import { type Figure, finish, printTable, round } from '../method/report.ts';
import { plainBullmq, transformersJs } from '../peers/servers/node-servers.ts';
import { bentoml, fastapiCelery, infinity, litserve, rayServe } from '../peers/servers/python-servers.ts';
import type { RunningServer, ServerSpec } from '../peers/servers/server.ts';
import { teiServers } from '../peers/servers/tei.ts';
import { findSubject, type Subject } from '../pipeline/subjects.ts';
import { runClosedLoop } from './closed-loop.ts';
import { CpuClock, type CpuShares, printShares } from './cpu-shares.ts';
import { measureLoneClient } from './lone-client.ts';
import { millrace } from './our-server.ts';
import { PlainLoop } from './plain-loop-process.ts';
import { expectSameVectors } from './same-vectors.ts';
import { type TextMix, textMixes, textsOf } from './texts.ts';

const peers: readonly ServerSpec[] = [
  fastapiCelery,
  plainBullmq,
  transformersJs,
  litserve,
  bentoml,
  rayServe,
  infinity,
  ...teiServers,
];
const clients = 64;
/** Of 64 texts under way: eight jobs of eight, in two halves so that one is always on its way. */
const listClients = 16;
const textsPerList = 8;
const warmMs = 8000;
const targets: Readonly<Record<TextMix, { single: number; list: number }>> = {
  short: { single: 1.6, list: 1.9 },
  mixed: { single: 1.15, list: 1.15 },
};

interface Block {
  readonly perSecond: number;
  /** CPU of everything but the lanes, per item, until the last one is recorded. */
  readonly outsideMs: number;
  /** CPU ms per item by process. */
  readonly shares: CpuShares;
}

export async function benchEndToEnd(options: BenchOptions): Promise<void> {
  const subject = await findSubject('all-MiniLM-L6-v2');
  const loop = await PlainLoop.open(subject);
  const figures: Figure[] = [];
  try {
    const wanted = [millrace, ...peers].filter(({ name }) => name.toLowerCase().includes(options.only.toLowerCase()));
    for (const spec of wanted) figures.push(...(await measureServer(spec, subject, loop, options)));
  } finally {
    await loop.close();
  }
  finish('e2e', figures, {}, options.keep);
}

async function measureServer(
  spec: ServerSpec,
  subject: Subject,
  loop: PlainLoop,
  options: BenchOptions,
): Promise<Figure[]> {
  const reason = (await spec.unable?.()) ?? null;
  if (reason !== null) {
    console.log(`${spec.name}: left out, ${reason}`);
    return [];
  }
  let server: RunningServer;
  try {
    server = await startSame(spec, subject, loop);
  } catch (error) {
    console.log(`${spec.name}: left out, ${(error as Error).message}`);
    return [];
  }
  try {
    const isOurs = spec === millrace;
    // Peers get half the pairs: what is promised is ours.
    const pairs = isOurs ? options.pairs : Math.max(1, Math.ceil(options.pairs / 3));
    const figures: Figure[] = [];
    for (const mix of textMixes) {
      figures.push(...(await measureLoad(spec, server, loop, mix, 1, pairs, options.seconds)));
      if (isOurs) figures.push(...(await measureLoad(spec, server, loop, mix, textsPerList, pairs, options.seconds)));
    }
    if (isOurs && server.redisUrl) figures.push(await measureLoneClient(server, loop, server.redisUrl, pairs));
    return figures;
  } finally {
    await server.stop();
  }
}

/** Started, and found to do the same work as the plain loop. */
async function startSame(spec: ServerSpec, subject: Subject, loop: PlainLoop): Promise<RunningServer> {
  const server = await spec.start(subject);
  try {
    await expectSameVectors(spec.name, server.caller, loop);
  } catch (error) {
    await server.stop();
    throw error;
  }
  return server;
}

async function measureLoad(
  { name }: ServerSpec,
  server: RunningServer,
  loop: PlainLoop,
  mix: TextMix,
  textsPerCall: number,
  pairs: number,
  seconds: number,
): Promise<Figure[]> {
  const block = (ms: number) => runBlock(server, mix, textsPerCall, ms);
  await block(warmMs);
  await server.settle?.();
  await block(warmMs / 4);
  const kind = textsPerCall === 1 ? mix : `${mix}, ${textsPerCall} a job`;
  const { a, b } = await measurePairs<Block | { perSecond: number }>(
    pairs,
    () => block(seconds * 1000),
    async () => ({ perSecond: await loop.run(mix, seconds * 1000) }),
    (x, y, pair) =>
      console.log(
        `${name}, ${kind}, pair ${pair + 1}: ${round(x.perSecond)}/s, plain loop ${round(y.perSecond)}/s, ratio ${round(x.perSecond / y.perSecond)}`,
      ),
  );
  const outside = (a as Block[]).map(({ outsideMs }) => outsideMs);
  if (server.roles)
    printShares(
      `${name}, ${kind}: CPU ms/item`,
      (a as Block[]).map(({ shares }) => shares),
    );
  printTable(
    [`${name}, ${kind}`, 'items/s', 'plain loop', 'CPU ms/item outside lanes'],
    [
      [
        'median',
        median(a.map(({ perSecond }) => perSecond)),
        median(b.map(({ perSecond }) => perSecond)),
        median(outside),
      ],
    ],
  );
  const isOurs = name === millrace.name;
  const target = isOurs ? `>= ${targets[mix][textsPerCall === 1 ? 'single' : 'list']}` : '';
  const figures: Figure[] = [
    {
      name: `e2e ${name}, ${kind}`,
      ratio: ratioOf(
        a.map(({ perSecond }) => perSecond),
        b.map(({ perSecond }) => perSecond),
      ),
      target,
      meaning: `items/s over HTTP, ${textsPerCall === 1 ? clients : listClients} clients, over the plain loop`,
    },
  ];
  if (server.lanePids && textsPerCall === 1) {
    const ratio = ratioOf(
      outside,
      outside.map(() => 1),
    );
    const meaning = 'ms CPU per item of all that is not a lane, the load generator left out';
    figures.push({ name: `e2e ${name}, ${kind}, CPU`, ratio, target: isOurs ? '<= 1.5' : '', meaning });
  }
  return figures;
}

async function runBlock(server: RunningServer, mix: TextMix, textsPerCall: number, ms: number): Promise<Block> {
  const lanes = server.lanePids?.() ?? [];
  const outside = () => cpuSeconds(server.pids) - cpuSeconds(lanes);
  const before = outside();
  const cpu = new CpuClock(server.roles?.() ?? new Map());
  const wish = {
    clients: textsPerCall === 1 ? clients : listClients,
    itemsPerCall: textsPerCall,
    item: textsOf(mix),
    ms,
  };
  const result = await runClosedLoop(server.caller, wish);
  await server.settle?.();
  return {
    perSecond: (1000 * result.items) / result.ms,
    outsideMs: (1000 * (outside() - before)) / result.items,
    shares: cpu.read(result.items),
  };
}
