/**
 * The door to convolve.wasm: plans its memory, fills in the tables of weights and streams a picture through it. Rows first,
 * then columns, rounded to bytes between, as Pillow did until 12; 13 turns the order round for some shapes.
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Problem } from '../../shared/problems/problem.ts';
import type { Bitmap } from './bitmap.ts';
import { type Axis, recordWords, roundUp, tapsMax, writeTable } from './convolution-table.ts';
import type { Kernel } from './resampling-filters.ts';

/** As the module bounds its own memory. */
const memoryBytesMax = 256 * 2 ** 20;
/** WebAssembly gives nothing back of what a memory has grown by: above this, the whole instance is let go. */
const keptBytesMax = 8 * 2 ** 20;
/** Source lines come in as many at a time as leave room in a core's own cache. */
const bandBytes = 256 * 1024;
/** A step reads or writes so many bytes at most, and begins within a line. */
const stepBytes = 16;
const pageBytes = 65_536;

/** As much of it as is used here: neither lib es2024 nor @types/node declares it. */
declare const WebAssembly: {
  Module: new (bytes: Uint8Array) => object;
  Instance: new (module: object) => { readonly exports: unknown };
};

/** Addresses and numbers of bytes, save `lines` and `places`. */
type ConvolveRows = (
  source: number,
  sourceLine: number,
  target: number,
  targetLine: number,
  lines: number,
  table: number,
  record: number,
  places: number,
) => void;

/** What convolve.wat exports. */
interface Convolver {
  readonly memory: { readonly buffer: ArrayBuffer; grow(pages: number): number };
  readonly convolveRgbRows: ConvolveRows;
  readonly convolveGrayRows: ConvolveRows;
  readonly convolveColumns: (source: number, line: number, target: number, bytes: number, record: number) => void;
}

/** One a thread: nothing pauses while a picture is resized. */
let kept: Convolver | undefined;

export function convolve(image: Bitmap, columns: Axis, rows: Axis, kernel: Kernel): Bitmap {
  const { data, width, height, channels } = image;
  assert.equal(data.length, width * height * channels);
  const plan = planMemory(image, columns, rows, kernel);
  const convolver = withMemory(plan.bytes, image);
  writeTable(new Int32Array(convolver.memory.buffer, 0, plan.rowTable / 4), plan.columns);
  writeTable(new Int32Array(convolver.memory.buffer, plan.rowTable, (plan.source - plan.rowTable) / 4), plan.rows);
  const resized = stream(image, plan, convolver);
  if (convolver.memory.buffer.byteLength > keptBytesMax) kept = undefined;
  return { data: resized, width: columns.length, height: rows.length, channels };
}

type MemoryPlan = ReturnType<typeof planMemory>;

/**
 * Two tables, a band of the source, the narrowed lines that some row still needs, one row of the output. Every step begins at
 * a pixel of its line: what it reads beyond a band lies in the lines behind it and counts nothing, and what it writes beyond a
 * line lies in that line's padding. So all that the module touches is within `bytes`.
 */
function planMemory({ width, height, channels }: Bitmap, columnAxis: Axis, rowAxis: Axis, kernel: Kernel) {
  const columns = { axis: columnAxis, kernel, pixelBytes: channels, tapsPerStep: channels === 3 ? 2 : 4 };
  const rows = { axis: rowAxis, kernel, pixelBytes: 1, tapsPerStep: 1 };
  const columnRecord = 4 * recordWords(columns);
  const rowRecord = 4 * recordWords(rows);
  const rowTable = columnRecord * columnAxis.length;
  const source = rowTable + rowRecord * rowAxis.length;
  const sourceLine = width * channels;
  const bandLines = Math.min(Math.max(1, Math.floor(bandBytes / sourceLine)), height);
  const narrow = roundUp(source + bandLines * sourceLine, stepBytes);
  const narrowLine = roundUp(columnAxis.length * channels + 1, stepBytes);
  const narrowLines = tapsMax(rows) + bandLines;
  const output = narrow + narrowLines * narrowLine;
  const tables = { columns, rows, columnRecord, rowRecord, rowTable };
  const lines = { sourceLine, bandLines, narrowLine, narrowLines };
  return { ...tables, ...lines, source, narrow, output, bytes: output + narrowLine };
}

function stream({ data, height, channels }: Bitmap, plan: MemoryPlan, convolver: Convolver): Uint8ClampedArray {
  const { source, sourceLine, narrow, narrowLine, output } = plan;
  const convolveRows = channels === 3 ? convolver.convolveRgbRows : convolver.convolveGrayRows;
  const bytes = new Uint8ClampedArray(convolver.memory.buffer);
  const words = new Int32Array(convolver.memory.buffer);
  const places = plan.columns.axis.length;
  const line = places * channels;
  const resized = new Uint8ClampedArray(line * plan.rows.axis.length);
  // Of the narrowed picture, the lines from `top` up to `bottom` are there.
  let top = words[plan.rowTable / 4] as number;
  let bottom = top;
  for (let y = 0; y < plan.rows.axis.length; y++) {
    const record = plan.rowTable + y * plan.rowRecord;
    const first = words[record / 4] as number;
    const end = first + (words[record / 4 + 1] as number) / 4;
    while (bottom < end) {
      if (bottom - top === plan.narrowLines) {
        const needed = Math.min(first, bottom);
        bytes.copyWithin(narrow, narrow + (needed - top) * narrowLine, output);
        top = needed;
      }
      const lines = Math.min(plan.bandLines, height - bottom, plan.narrowLines - (bottom - top));
      bytes.set(data.subarray(bottom * sourceLine, (bottom + lines) * sourceLine), source);
      const target = narrow + (bottom - top) * narrowLine;
      convolveRows(source, sourceLine, target, narrowLine, lines, 0, plan.columnRecord, places);
      bottom += lines;
    }
    convolver.convolveColumns(narrow + (first - top) * narrowLine, narrowLine, output, line, record);
    resized.set(bytes.subarray(output, output + line), y * line);
  }
  return resized;
}

function withMemory(bytes: number, { width, height }: Bitmap): Convolver {
  if (bytes > memoryBytesMax) {
    const detail =
      `The image has ${width} x ${height} pixels; resizing it for this model would take ${Math.ceil(bytes / 2 ** 20)} MiB ` +
      `at once, above ${memoryBytesMax / 2 ** 20} MiB. Send a less narrow part of it.`;
    throw new Problem('image-too-large', detail);
  }
  kept ??= instantiate();
  const missing = bytes - kept.memory.buffer.byteLength;
  if (missing > 0) kept.memory.grow(Math.ceil(missing / pageBytes));
  return kept;
}

/** 900 bytes: compiled in place when the first picture comes. */
function instantiate(): Convolver {
  const module = new WebAssembly.Module(readFileSync(join(import.meta.dirname, 'convolve.wasm')));
  return new WebAssembly.Instance(module).exports as Convolver;
}
