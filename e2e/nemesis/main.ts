/** The full run by one command: `npm run nemesis`. Exits 1 when a promise was broken. */
import { parseArgs } from 'node:util';
import type { Role } from '../system/running-system.ts';
import { runNemesis } from './nemesis.ts';

const { values } = parseArgs({
  options: {
    jobs: { type: 'string', default: '10000' },
    kills: { type: 'string', default: '20' },
    targets: { type: 'string' },
    seed: { type: 'string', default: String(Date.now() % 1e6) },
    help: { type: 'boolean', default: false },
  },
});
if (values.help) {
  console.log('npm run nemesis -- [--jobs 10000] [--kills 20] [--targets worker,lane] [--seed N]\n');
  console.log('Without --targets: one run that kills workers and lanes, one that kills API and redis-server.');
  process.exit(0);
}
const rounds: Role[][] = values.targets
  ? [values.targets.split(',') as Role[]]
  : [
      ['worker', 'lane'],
      ['api', 'redis'],
    ];
let broken = 0;
for (const targets of rounds) {
  const seed = Number(values.seed);
  console.log(`${values.jobs} jobs, ${values.kills} kills of ${targets.join(' and ')}, seed ${seed}`);
  const report = await runNemesis({
    jobs: Number(values.jobs),
    kills: Number(values.kills),
    targets,
    seed,
    say: console.log,
  });
  for (const fault of report.faults.slice(0, 20)) console.log(`BROKEN: ${fault}`);
  broken += report.faults.length;
  console.log(JSON.stringify({ name: `nemesis ${targets.join('+')}`, seed, ...report, faults: report.faults.length }));
}
process.exit(broken > 0 ? 1 : 0);
