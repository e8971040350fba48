/**
 * Millrace over FastAPI + Celery + onnxruntime, which its users come from: the same file, the same requests, 64 clients that
 * wait for each answer, both on all cores by turns with Redis durable. Both must give the same answers before they are raced.
 */
import assert from 'node:assert/strict';
import { askOnce, type Caller, runClosedLoop } from '../end-to-end/closed-loop.ts';
import { CpuClock, type CpuShares, printShares } from '../end-to-end/cpu-shares.ts';
import { millrace } from '../end-to-end/our-server.ts';
import { cpuSeconds } from '../method/cpu-time.ts';
import type { BenchOptions } from '../method/options.ts';
import { measurePairs, median, ratioOf } from '../method/ratio.ts';
import { type Figure, finish, printTable, round } from '../method/report.ts';
import { fastapiCelery } from '../peers/servers/python-servers.ts';
import type { RunningServer } from '../peers/servers/server.ts';
import { findModel } from '../pipeline/subjects.ts';
import { type Race, races } from './races.ts';
import { findDifference } from './same-answer.ts';

const clients = 64;
const warmMs = 4000;
const comparedItems = 8;

interface Entrant {
  readonly server: RunningServer;
  /** Sends bodies that are made already: what the load generator costs, both pay. */
  readonly caller: Caller;
  readonly bodies: readonly string[];
}

interface Block {
  readonly perSecond: number;
  readonly p50: number;
  /** Of all processes but the load generator. */
  readonly cpuMs: number;
  /** The same by process, where they can be told apart. */
  readonly shares: CpuShares;
}

export async function benchCelery({ only, pairs, seconds, keep }: BenchOptions): Promise<void> {
  const reason = (await fastapiCelery.unable?.()) ?? null;
  if (reason !== null) throw new Error(`FastAPI + Celery can not run here: ${reason}`);
  const wanted = races.filter(({ name }) => name.toLowerCase().includes(only.toLowerCase()));
  const figures: Figure[] = [];
  for (const race of wanted) {
    // One that can not be run, or not fairly, must not cost the others' minutes.
    try {
      figures.push(...(await runRace(race, pairs, seconds * 1000)));
    } catch (error) {
      console.log(`${race.name}: left out, ${(error as Error).message}`);
    }
  }
  if (figures.length === 0) throw new Error('No model was raced.');
  finish('celery', figures, {}, keep);
}

async function runRace(race: Race, pairs: number, blockMs: number): Promise<Figure[]> {
  const items = race.items();
  const subject = {
    name: race.name,
    files: await findModel(race.modelsDir, race.id),
    modelsDir: race.modelsDir,
    sources: [],
  };
  const servers: RunningServer[] = [];
  try {
    for (const spec of [millrace, fastapiCelery]) servers.push(await spec.start(subject, items[0]));
    const [ours, theirs] = servers.map((server) => entrantOf(server, items)) as [Entrant, Entrant];
    await compareAnswers(race.name, ours, theirs);
    // Twice: the first time the record's database is made.
    for (const entrant of [ours, theirs, ours]) await runBlock(entrant, warmMs);
    const { a, b } = await measurePairs(
      pairs,
      () => runBlock(ours, blockMs),
      () => runBlock(theirs, blockMs),
      (x, y, pair) => console.log(`${race.name}, pair ${pair + 1}: ${say(x)}, Celery ${say(y)}`),
    );
    printBlocks(race.name, a, b);
    return figuresOf(race, a, b);
  } finally {
    for (const server of servers) await server.stop();
  }
}

function entrantOf(server: RunningServer, items: readonly unknown[]): Entrant {
  const { caller } = server;
  return {
    server,
    bodies: items.map((item) => caller.body([item])),
    caller: { ...caller, body: ([body]) => body as string },
  };
}

async function compareAnswers(name: string, ours: Entrant, theirs: Entrant): Promise<void> {
  const count = Math.min(comparedItems, ours.bodies.length);
  for (let index = 0; index < count; index++) {
    const [one, other] = await Promise.all([ours, theirs].map(({ caller, bodies }) => askOnce(caller, bodies[index])));
    const difference = findDifference(one, other);
    assert.equal(difference, null, `${name}, item ${index}: the answers differ at ${difference}`);
  }
}

async function runBlock({ server, caller, bodies }: Entrant, ms: number): Promise<Block> {
  const before = cpuSeconds(server.pids);
  const cpu = new CpuClock(server.roles?.() ?? new Map());
  const item = (index: number) => bodies[index % bodies.length];
  const result = await runClosedLoop(caller, { clients, itemsPerCall: 1, item, ms });
  await server.settle?.();
  return {
    perSecond: (1000 * result.items) / result.ms,
    p50: median(result.latenciesMs),
    cpuMs: (1000 * (cpuSeconds(server.pids) - before)) / result.items,
    shares: cpu.read(result.items),
  };
}

function figuresOf({ name, atLeast }: Race, ours: readonly Block[], theirs: readonly Block[]): Figure[] {
  const of = (blocks: readonly Block[], key: 'perSecond' | 'cpuMs') => blocks.map((block) => block[key]);
  return [
    {
      name,
      ratio: ratioOf(of(ours, 'perSecond'), of(theirs, 'perSecond')),
      target: `>= ${atLeast}`,
      meaning: `items/s over FastAPI + Celery + onnxruntime, ${clients} clients`,
    },
    {
      name: `${name} CPU`,
      ratio: ratioOf(of(theirs, 'cpuMs'), of(ours, 'cpuMs')),
      target: '',
      meaning: 'CPU per item of all processes, theirs over ours',
    },
  ];
}

function printBlocks(name: string, ours: readonly Block[], theirs: readonly Block[]): void {
  const row = (title: string, blocks: readonly Block[]) => [
    title,
    ...(['perSecond', 'p50', 'cpuMs'] as const).map((key) => median(blocks.map((block) => block[key]))),
  ];
  printShares(
    `${name}: CPU ms/item`,
    ours.map(({ shares }) => shares),
  );
  printTable(
    [name, 'items/s', 'p50 ms', 'CPU ms/item'],
    [row('Millrace', ours), row('FastAPI + Celery + onnxruntime', theirs)],
  );
}

function say({ perSecond, cpuMs }: Block): string {
  return `${perSecond.toFixed(1)}/s with ${round(cpuMs)} ms of CPU each`;
}
