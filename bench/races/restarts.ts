/**
 * What a restarted worker gets done in its first seconds, as a share of the oracle: knowing nothing, with what its
 * predecessor kept of the same device, and with what was kept of quite another, which it has to find out. Simulated.
 */
import { median } from '../method/ratio.ts';
import { printTable, round } from '../method/report.ts';
import { ours } from '../peers/contenders.ts';
import { type DeviceName, deviceOf } from '../simulator/devices.ts';
import { type LengthMix, lengthMixes } from '../simulator/lengths.ts';
import { bulkRun } from '../simulator/loads.ts';
import { measure } from '../simulator/measures.ts';
import { oracleRate } from '../simulator/oracle.ts';
import { createRandom } from '../simulator/random.ts';
import { SimulatedTrack } from './simulated-track.ts';

type Memories = SimulatedTrack['memories'];

const subjects = [
  { device: 'minilm-fp32', other: 'gpu', lanes: 2, rows: 1024 },
  { device: 'gpu', other: 'minilm-fp32', lanes: 1, rows: 2048 },
] as const;
const mix: LengthMix = 'lognormal';
const learnedMs = 20_000;
const spans = [
  [0, 500],
  [0, 2000],
  [2000, 10_000],
] as const;
const ms = spans[2][1];
const nothing: Memories = new Map();

export async function simulateRestarts(seeds: number): Promise<(string | number)[][]> {
  const rows: (string | number)[][] = [];
  for (const { device, other, lanes, rows: backlog } of subjects) {
    const memories: readonly [string, Memories][] = [
      ['knows nothing', nothing],
      ['remembers this device', await learn(device, lanes, backlog)],
      [`remembers ${other}`, await learn(other, lanes, backlog)],
    ];
    for (const [name, remembered] of memories) {
      const runs: number[][] = [];
      for (let seed = 1; seed <= seeds; seed++) runs.push(await restart(device, lanes, backlog, seed, remembered));
      rows.push([`${device}: ${name}`, ...spans.map((_, i) => round(median(runs.map((run) => run[i] ?? 0))))]);
    }
  }
  printTable(['simulated: a restart, share of the oracle', 'first 0.5 s', 'first 2 s', 'from 2 to 10 s'], rows);
  return rows;
}

async function learn(device: DeviceName, lanes: number, backlog: number): Promise<Memories> {
  const track = new SimulatedTrack({ lanes, callMs: { m: deviceOf(device) } }, 1);
  await track.run({
    contender: ours,
    loads: [bulkRun(lengthMixes[mix], createRandom(1), 'm', backlog)],
    ms: learnedMs,
  });
  return track.memories;
}

async function restart(device: DeviceName, lanes: number, backlog: number, seed: number, remembered: Memories) {
  const callMs = deviceOf(device);
  const track = new SimulatedTrack({ lanes, callMs: { m: callMs } }, seed + 100);
  const loads = [bulkRun(lengthMixes[mix], createRandom(seed + 100), 'm', backlog)];
  const ended = await track.run({ contender: ours, loads, ms, remembered });
  const oracle = oracleRate(callMs, lengthMixes[mix], lanes);
  return spans.map(([fromMs, untilMs]) => measure(ended, { fromMs, untilMs }).perSecond / oracle);
}
