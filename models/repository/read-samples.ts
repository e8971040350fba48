/**
 * A manifest's samples, checked against what its task takes: an item that is an object is parsed as the API would parse
 * it. Pure.
 */
import type { TaskContract } from '../task.ts';
import { type Manifest, ModelFault } from './manifest.ts';
import type { ModelSample } from './model-files.ts';

type ManifestSample = NonNullable<Manifest['samples']>[number];

/** Throws ModelFault for an input that the task would refuse. */
export function readSamples(samples: readonly ManifestSample[], contract: TaskContract): ModelSample[] {
  return samples.map(({ input, ...wish }, index) => ({ input: readInput(input, index, contract), ...wish }));
}

function readInput(input: ManifestSample['input'], index: number, { task, item }: TaskContract): ModelSample['input'] {
  if (!item && (typeof input === 'string' || isFile(input))) return input;
  const parsed = item?.safeParse(input);
  if (parsed?.success) return { value: parsed.data };
  const faults = parsed?.error.issues.map((issue) => [...issue.path, issue.message].join(': '));
  const fault = faults?.join('; ') ?? `${task} takes a text or {file: ...}`;
  throw new ModelFault(`manifest.yaml: samples.${index}.input: ${fault}.`);
}

function isFile(input: object): input is { readonly file: string } {
  return 'file' in input && typeof input.file === 'string' && Object.keys(input).length === 1;
}
