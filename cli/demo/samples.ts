/**
 * What the demo sends: the samples of each model's manifest, and for the dropped-in models, which have none, those of
 * `samples/dropped-in.yaml`.
 */
import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parse } from 'yaml';
import type { Nearest } from '../../models/repository/model-files.ts';
import { scanRepository } from '../../models/repository/scan-repository.ts';

export interface DemoSample {
  /** A text, the path of a file, or an item of another shape. */
  readonly input: { readonly text: string } | { readonly file: string } | { readonly value: unknown };
  /** What the output must hold: see `matches-expectation.ts`. Absent where `nearest` says it. */
  readonly expect?: unknown;
  readonly nearest?: Nearest | undefined;
}

interface DroppedIn {
  readonly text?: string;
  /** Relative to the assets folder. */
  readonly asset?: string;
  readonly expect?: unknown;
  readonly nearest?: Nearest | undefined;
}

/** Samples by model id. Reads manifests only; a sample whose file is absent is left out. */
export async function collectSamples(
  modelDirs: readonly string[],
  assets: string | undefined,
): Promise<ReadonlyMap<string, readonly DemoSample[]>> {
  const samples = new Map<string, DemoSample[]>();
  const { models } = await scanRepository(modelDirs);
  for (const model of models) {
    const own = model.samples.map(({ input, ...wish }): DemoSample => {
      if (typeof input === 'string') return { input: { text: input }, ...wish };
      return { input: 'file' in input ? { file: resolve(model.folder, input.file) } : input, ...wish };
    });
    samples.set(model.id, own.length > 0 ? own : readDroppedIn(model.id, assets));
  }
  return samples;
}

function readDroppedIn(model: string, assets: string | undefined): DemoSample[] {
  const file = join(import.meta.dirname, 'samples/dropped-in.yaml');
  const all = parse(readFileSync(file, 'utf8')) as Record<string, readonly DroppedIn[]>;
  return (all[model] ?? []).flatMap((sample): DemoSample[] => {
    const { text, asset, ...rest } = sample;
    if (text !== undefined) return [{ input: { text }, ...rest }];
    const path = assets && asset ? join(assets, asset) : undefined;
    return path && existsSync(path) ? [{ input: { file: path }, ...rest }] : [];
  });
}
