import assert from 'node:assert/strict';
import { closeSync, fstatSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { unitOf } from '../../models/repository/model-files.ts';
import type { RowTensor } from '../../models/task.ts';
import { modelFiles } from '../../models/testing/model-files.ts';
import { BulkFile, bulkBytesMin } from './bulk-tensors.ts';
import type { FakeContext } from './fake-lane.ts';
import { Lane } from './lane.ts';
import type { LaneRow } from './lane-protocol.ts';

const files = modelFiles({ id: 'fake', task: 'image-classification' });
let lane: Lane;
before(async () => {
  lane = new Lane('lane-0', { device: 'cpu', threads: 1 }, join(import.meta.dirname, 'fake-lane.ts'));
  await lane.load(files);
});
after(() => lane.stop());

function rowOf(bytes: number, does: FakeContext['does'] = 'echo'): LaneRow {
  // A view into the middle of a buffer, as a preparation thread may hand one over.
  const data = new Uint8Array(bytes + 64).subarray(32, 32 + bytes);
  for (let at = 0; at < bytes; at++) data[at] = (at * 7 + bytes) % 251;
  const context: FakeContext = { does, says: String(bytes) };
  return { row: { tensors: { pixels: tensorOf(data) }, length: 1, shapeKey: 'x', context }, alone: true };
}

function tensorOf(data: Uint8Array): RowTensor {
  return { type: 'uint8', dims: [data.length], data };
}

function sumOf({ row }: LaneRow): number {
  let sum = 0;
  for (const value of row.tensors['pixels']?.data ?? []) sum += value;
  return sum;
}

async function echo(rows: readonly LaneRow[]): Promise<unknown[]> {
  const result = await lane.run(unitOf(files), rows, 20_000);
  assert.ok(result.kind === 'ran', JSON.stringify(result));
  return result.outcomes.map((outcome) =>
    'json' in outcome ? (JSON.parse(outcome.json) as { sees: number }).sees : outcome,
  );
}

test('a lane gets small and large tensors whole and in order, call after call', async () => {
  const sizes = [3, 150_528, bulkBytesMin - 1, bulkBytesMin, 600_000, 17, 1_500_000];
  for (const some of [sizes, sizes.toReversed(), [5], sizes]) {
    const rows = some.map((size) => rowOf(size));
    assert.deepEqual(await echo(rows), rows.map(sumOf));
  }
});

test('the file of a lane does not stay as large as its largest call', () => {
  const bulk = new BulkFile();
  bulk.send([rowOf(18_000_000)]);
  bulk.send([rowOf(150_528)]);
  assert.equal(fstatSync(bulk.stdio[4] as number).size, 150_528);
  bulk.close();
});

test('what the file does not take goes in its message', () => {
  const bulk = new BulkFile();
  closeSync(bulk.stdio[4] as number);
  const row = rowOf(150_528);
  assert.equal(bulk.send([row])[0]?.row.tensors['pixels'], row.row.tensors['pixels']);
});

test('a lane that dies with pixels on their way takes only its own call with it', async () => {
  const dying = new Lane('lane-1', { device: 'cpu', threads: 1 }, join(import.meta.dirname, 'fake-lane.ts'));
  await dying.load(files);
  const call = dying.run(unitOf(files), [rowOf(8_000_000)], 20_000);
  dying.kill('told to die');
  assert.equal((await call).kind, 'died');
  const row = rowOf(1_000_000);
  assert.deepEqual(await echo([row]), [sumOf(row)]);
});
