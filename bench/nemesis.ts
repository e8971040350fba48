/** B8: `npm run nemesis` as a bench: jobs lost or seen twice while processes are killed under load, over none allowed. */
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import type { BenchOptions } from './method/options.ts';
import { ratioOf } from './method/ratio.ts';
import { finish } from './method/report.ts';

const kills = 100;
const jobs = 10_000;

export async function benchNemesis({ keep }: BenchOptions): Promise<void> {
  const program = join(import.meta.dirname, '../e2e/nemesis/main.ts');
  const args = [program, '--jobs', String(jobs), '--kills', String(kills)];
  const child = spawn(process.execPath, args, { stdio: 'inherit' });
  const code = await new Promise<number>((resolve) => child.once('exit', (ended) => resolve(ended ?? 1)));
  const kept = code === 0 ? 1 : 0;
  const meaning = `1 when no job of ${jobs} was lost or had two outcomes through ${kills} kills`;
  finish('B8', [{ name: 'B8', ratio: ratioOf([kept], [1]), target: '>= 1', meaning }], { kills, jobs }, keep);
  if (code !== 0) throw new Error(`nemesis ended with ${code}: what it says above counts.`);
}
