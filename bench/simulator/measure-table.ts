/**
 * Measures the table that the simulator replays: CPU time of one call on one thread, per rows and length, of the models in
 * the asset folder. CPU time and not wall time, so that a busy machine hardly matters; the least of several calls.
 * `node bench/simulator/measure-table.ts <model folder> <graph> <name>` writes tables/<name>.json.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { openSession } from '../../workers/lane/onnx-session.ts';

const rowCounts = [1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 64];
const lengths = [4, 8, 16, 24, 32, 48, 64, 96, 128, 192, 256];
/** A call longer than this is measured twice only, and larger ones of its length not at all. */
const slowMs = 1500;
const [folder = '', graph = 'model.onnx', name = 'table'] = process.argv.slice(2);

const session = await openSession(join(folder, 'onnx', graph), { device: 'cpu', threads: 1 });

async function callMs(rows: number, length: number): Promise<number> {
  const ids = new BigInt64Array(rows * length).map((_, i) => BigInt(1000 + ((i * 37) % 20_000)));
  const dims = [rows, length];
  const feeds = {
    input_ids: { type: 'int64', dims, data: ids },
    attention_mask: { type: 'int64', dims, data: new BigInt64Array(rows * length).fill(1n) },
    token_type_ids: { type: 'int64', dims, data: new BigInt64Array(rows * length) },
  } as const;
  let best = Number.POSITIVE_INFINITY;
  const started = performance.now();
  for (let round = 0; round < 9 && (round < 2 || performance.now() - started < slowMs); round++) {
    const before = process.cpuUsage();
    await session.run(feeds);
    const { user, system } = process.cpuUsage(before);
    best = Math.min(best, (user + system) / 1000);
  }
  return best;
}

const ms: (number | null)[][] = [];
for (const length of lengths) {
  const row: (number | null)[] = [];
  for (const rows of rowCounts) row.push((row.at(-1) ?? 0) > slowMs ? null : await callMs(rows, length));
  ms.push(row);
  console.log(length, row.map((value) => value?.toFixed(2)).join(' '));
}
writeFileSync(
  join(import.meta.dirname, 'tables', `${name}.json`),
  `${JSON.stringify({ name, rows: rowCounts, lengths, ms: ms.map((row) => row.map((v) => v && Math.round(v * 1000) / 1000)) })}\n`,
);
