import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import sharp from 'sharp';
import { freeLarge, freeMemory } from './free-memory.ts';
import { createPixelReader } from './images/pixel-rows.ts';
import { readProcessorPlan } from './images/processor-plan.ts';

test('memory is given back whole, and a part of it never', () => {
  const whole = new Uint8Array(64);
  const part = new Uint8Array(64).subarray(0, 32);
  freeMemory(whole);
  freeMemory(part);
  assert.deepEqual([whole.length, part.length], [0, 32]);
});

test('of tensors only what is large and has its memory to itself is given back', () => {
  const tensors = [100, 32_768, 32_768].map((length) => ({ data: new Uint8Array(length) }));
  tensors.push({ data: new Uint8Array(65_536).subarray(0, 32_768) });
  freeLarge(Object.fromEntries(tensors.entries()));
  assert.deepEqual(
    tensors.map(({ data }) => data.length),
    [100, 0, 0, 32_768],
  );
});

test('a picture that was prepared holds no memory but its pixels', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'pixels-'));
  t.after(() => rm(folder, { recursive: true }));
  const source = async (side: number) => {
    const path = join(folder, `${side}.png`);
    const picture = sharp({ create: { width: side, height: side, channels: 3, background: '#345' } });
    await picture.png().toFile(path);
    return { kind: 'file', path, type: 'image/png' } as const;
  };
  const plan = readProcessorPlan({ image_processor_type: 'ViTImageProcessor', size: { height: 200, width: 200 } });
  const read = await createPixelReader(plan, undefined);
  await read(await source(8));
  // 12 MB as it is, and 1.2 MB when only its width is resized.
  const large = await source(2000);
  const before = process.memoryUsage().external;
  const { pixels } = await read(large);
  const kept = process.memoryUsage().external - before;
  assert.equal(pixels.data.length, 3 * 200 * 200);
  assert.ok(kept < 600_000, `${kept} bytes stay until they are collected`);
});
