/** Who is raced: our policy and the peers' rules, at their defaults and at what suits this device best. */
import { AdaptivePolicy } from '../../workers/scheduling/adaptive-policy.ts';
import type { CostModel, SchedulingPolicy } from '../../workers/scheduling/policy.ts';
import { bentoml } from './bentoml.ts';
import { clipper } from './clipper.ts';
import { firstCome } from './first-come.ts';
import { infinity, infinityDefaults } from './infinity.ts';
import { litserve } from './litserve.ts';
import { noBatching } from './no-batching.ts';
import { sortedBudget } from './sorted-budget.ts';
import { tei, teiBudget } from './tei.ts';
import { triton } from './triton.ts';

export interface Contender {
  readonly name: string;
  create(cost: CostModel): SchedulingPolicy;
}

export const ours: Contender = { name: 'Millrace', create: (cost) => new AdaptivePolicy(cost) };

export const peers: readonly Contender[] = [
  { name: 'no batching', create: noBatching },
  { name: 'FIFO 8', create: () => firstCome(8) },
  { name: 'FIFO 32', create: () => firstCome(32) },
  { name: 'Ray Serve (10, 10 ms)', create: () => firstCome(10, 10) },
  { name: 'Triton (32)', create: () => triton({ rowsMax: 32 }) },
  { name: 'Triton (8, 5 ms)', create: () => triton({ rowsMax: 8, preferred: [8], delayMs: 5 }) },
  { name: 'BentoML', create: () => bentoml() },
  { name: 'Clipper', create: () => clipper() },
  { name: 'LitServe (32)', create: () => litserve(32) },
  { name: 'LitServe (8, 5 ms)', create: () => litserve(8, 5) },
  { name: 'Infinity', create: () => infinity(infinityDefaults) },
  { name: 'TEI', create: () => tei(teiBudget.default) },
  { name: 'TEI tuned (512)', create: () => tei(teiBudget.tuned) },
];

/** What a patient operator could set; the best of them is "best static". */
export const staticSettings: readonly Contender[] = [
  ...[1, 2, 4, 8, 16].map((n) => ({ name: `FIFO ${n}`, create: () => firstCome(n) })),
  ...[64, 128, 256, 512, 1024, 2048].map((units) => ({
    name: `sorted, ${units} units`,
    create: () => sortedBudget(units),
  })),
];
