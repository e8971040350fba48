/** How many rows of a bulk run a policy gets through, on lanes that do nothing else. */

import { LearnedCostModel } from '../../workers/scheduling/cost-model.ts';
import type { Contender } from '../peers/contenders.ts';
import type { CallMs } from './latency-table.ts';
import type { Lengths } from './lengths.ts';
import { bulkRun } from './loads.ts';
import { measure } from './measures.ts';
import { createRandom } from './random.ts';
import { simulate } from './simulate.ts';

/** Learning is over by then; B7 says how long it takes. */
const warmMs = 15_000;
const measuredMs = 45_000;

export function offlineRate(contender: Contender, callMs: CallMs, lengths: Lengths, lanes = 2, seed = 1): number {
  const cost = new LearnedCostModel();
  const { ended } = simulate({
    device: { lanes, callMs: { m: callMs } },
    policy: contender.create(cost),
    cost,
    loads: [bulkRun(lengths, createRandom(seed))],
    random: createRandom(seed + 1),
    untilMs: warmMs + measuredMs,
  });
  return measure(ended, { fromMs: warmMs, untilMs: warmMs + measuredMs }).perSecond;
}
