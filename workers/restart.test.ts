/** What a worker knows after a restart. Calls of the fake engine take 0.6 s: a stall of a busy machine is a part of it, not a multiple. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { modelFiles } from '../models/testing/model-files.ts';
import { CostFile } from './scheduling/warm-start/cost-file.ts';
import { describeHardware } from './scheduling/warm-start/hardware.ts';
import { WorkerLab } from './testing/worker-lab.ts';

const rowMs = 600;
let lab: WorkerLab;
before(async () => {
  lab = await WorkerLab.open();
});
after(() => lab.close());

/** A worker's life of so many jobs, one after the other; measured over predicted seconds of its calls. */
async function live(jobs: number): Promise<number> {
  const costs = await CostFile.open(lab.dataDir, describeHardware('cpu', 1, 1), lab.logger);
  const metrics = await lab.live([modelFiles({ id: 'fake' })], { costs }, async () => {
    for (let i = 0; i < jobs; i++) await lab.outcome(await lab.submit('fake', rowMs));
  });
  const seconds = (kind: string) =>
    Number(new RegExp(`inference_call_seconds_total\\{[^}]*kind="${kind}"[^}]*\\} (\\S+)`).exec(metrics)?.[1]);
  return seconds('measured') / seconds('predicted');
}

test('predicts the first call after a restart from what was learned before it', async () => {
  const first = await live(1);
  assert.ok(first > 5, `nothing was known, and a call of ${rowMs} ms was taken for 10: ${first}`);
  await live(4);
  const ratio = await live(1);
  assert.ok(ratio > 0.6 && ratio < 1.8, `measured over predicted: ${ratio}`);
});
