/** `npm run bench -- <name>`: runs one bench. Each prints a table, then one last line of JSON. */
import { parseArgs } from 'node:util';
import { benchCelery } from './celery/main.ts';
import { benchB6 } from './decoding/main.ts';
import { benchEndToEnd } from './end-to-end/main.ts';
import { benchIdle } from './idle/main.ts';
import { benchLoops } from './loops/main.ts';
import type { BenchOptions } from './method/options.ts';
import { benchNemesis } from './nemesis.ts';
import { writePage } from './page/write-page.ts';
import { benchPipeline } from './pipeline/main.ts';
import { benchPredictions } from './predictions/main.ts';
import { benchQueue } from './queue/main.ts';
import { benchAblation } from './races/ablation.ts';
import { benchB1 } from './races/b1-offline.ts';
import { benchB2 } from './races/b2-goodput.ts';
import { benchB3 } from './races/b3-priorities.ts';
import { benchB7 } from './races/b7-adaptation.ts';
import { benchB9 } from './races/b9-memory.ts';
import { benchB10 } from './races/b10-two-models.ts';
import { benchLayouts } from './races/layouts.ts';
import { benchSimulator } from './races/simulator-check.ts';
import { runAll } from './run-all.ts';
import { benchTracing } from './tracing/main.ts';
import { benchWatching } from './watching/main.ts';

const benches: Readonly<Record<string, { about: string; run: (options: BenchOptions) => Promise<void> }>> = {
  B1: { about: 'rows/s of a bulk run over the oracle, the best static setting and no batching', run: benchB1 },
  B2: { about: 'highest rate with p99 in time, over what the oracle could do and over peers', run: benchB2 },
  B3: { about: 'p99 of high rows beside an endless bulk run, and what is left for bulk', run: benchB3 },
  B4: { about: 'CPU and Redis bytes per no-op job, over plain BullMQ on the same Redis', run: benchQueue },
  B5: { about: 'submit to run of a lone job in durable SETs, and what an idle system costs', run: benchIdle },
  B6: {
    about: 'tokens/s of texts of ragged length over B/t(B), static batches, one row and transformers.js',
    run: benchB6,
  },
  B7: { about: 'seconds until the policy is back at its best after the world changed (simulated)', run: benchB7 },
  B8: { about: 'no job lost or seen twice through 100 kills: npm run nemesis', run: benchNemesis },
  B9: { about: 'failed rows and rows/s with 60 % of the memory that is needed (simulated)', run: benchB9 },
  B10: { about: 'p99 of speech beside an endless run of embeddings (simulated)', run: benchB10 },
  ablation: { about: 'what each decision of the scheduler is worth (simulated)', run: benchAblation },
  layouts: { about: 'work of fewer lanes with more threads over a lane per core, on real models', run: benchLayouts },
  simulator: { about: 'the simulator over real lanes: one trace through both, rows/s and p99', run: benchSimulator },
  e2e: { about: 'items/s over HTTP over the plain loop of one text per call, ours and the peers', run: benchEndToEnd },
  celery: { about: 'items/s over HTTP over FastAPI + Celery + onnxruntime, on every model', run: benchCelery },
  pipeline: { about: 'items/s through the queue over raw session.run at the best static batch', run: benchPipeline },
  tracing: { about: 'CPU per span by exporter, and per job that is not recorded', run: benchTracing },
  predictions: {
    about: 'rows/s into the record of predictions, catching up, and pages of a full one',
    run: benchPredictions,
  },
  watching: { about: 'items/s of a whole system with everything that watches on, over off', run: benchWatching },
  loops: { about: 'event-loop delay of API and worker through a minute of saturated lanes', run: benchLoops },
};

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    pairs: { type: 'string', default: '6' },
    seconds: { type: 'string', default: '5' },
    only: { type: 'string', default: '' },
    keep: { type: 'boolean', default: false },
    simulate: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});
const name = positionals[0];
if (name === 'all') {
  await runAll(process.argv.slice(3));
  process.exit();
}
if (name === 'page') {
  await writePage();
  process.exit(0);
}
const bench = name ? benches[name] : undefined;
if (!bench || values.help) {
  console.log('npm run bench -- NAME [--pairs 6] [--seconds 5] [--only WORDS] [--simulate] [--keep]\n');
  for (const [key, { about }] of Object.entries(benches)) console.log(`  ${key.padEnd(11)} ${about}`);
  console.log(`  ${'all'.padEnd(11)} B1 to B10, e2e and celery, kept, and the page of them`);
  console.log(`  ${'page'.padEnd(11)} results/README.md and its plots from what was kept`);
  console.log('\nExamples:\n  npm run bench -- B1\n  npm run bench -- B4 --pairs 10 --seconds 20 --keep');
  process.exit(name && !bench ? 2 : 0);
}
await bench.run({
  pairs: Number(values.pairs),
  seconds: Number(values.seconds),
  only: values.only,
  keep: values.keep,
  simulateOnly: values.simulate,
});
process.exit(0);
