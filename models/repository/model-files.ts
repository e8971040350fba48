/**
 * One version of one model on disk, in the Hugging Face Hub / transformers.js layout, with its manifest's words.
 * Plain data: it crosses process boundaries; what scans folders is `scan-repository.ts`.
 */

import type { Upstream } from './upstream.ts';

export interface ModelLimits {
  readonly textTokensMax?: number;
  readonly audioSecondsMax?: number;
  readonly imagePixelsMax?: number;
}

/** One input and what the model gives for it: shown by the demo, checked by tests. */
export interface ModelSample {
  /** A text, a file relative to the model's folder, or an item of another shape, as the task's contract parsed it. */
  readonly input: string | { readonly file: string } | { readonly value: unknown };
  /** What the output must hold; absent where `nearest` says it. */
  readonly expect?: unknown;
  /** For vectors, which nobody can read: of the texts `among`, the one whose vector must be the nearest. */
  readonly nearest?: Nearest | undefined;
}

export interface Nearest {
  readonly among: readonly string[];
  readonly expect: string;
}

export interface ModelFiles {
  /** The folder's name. */
  readonly id: string;
  readonly task: string;
  /** Somebody waits for what it says: its task's contract has it run at high priority when nobody says otherwise. */
  readonly isAwaited: boolean;
  /** "1" for a bare Hub folder. */
  readonly version: string;
  /** Serves `task` when a request names no model. */
  readonly isDefault: boolean;
  readonly description: string;
  readonly licence: string | null;
  /** The model card, relative to `folder`. */
  readonly card: string | null;
  /** Where the files were fetched from, as `models pull` wrote it. */
  readonly source: string | null;
  /** Which file suffix: fp32 "", q8 "_quantized", ... Empty for a model behind an upstream. */
  readonly dtype: string;
  /** The model's folder (manifest, card, samples). */
  readonly folder: string;
  /** Folder that holds config.json and onnx/: `<folder>/<version>`, or `folder` itself for a bare Hub folder. */
  readonly versionFolder: string;
  readonly limits: ModelLimits;
  /** Defaults of the task's parameters for this model. */
  readonly parameters: Readonly<Record<string, unknown>>;
  readonly samples: readonly ModelSample[];
  /** Batch sizes that run once before the model is called ready. */
  readonly warmUpRows: readonly number[];
  /** How far a number of an output may move with the item's batch-mates; null where the model does not say. */
  readonly batchDriftMax: number | null;
  /** Domains of operators that ONNX Runtime does not have and that are used all the same. */
  readonly customOpDomains: readonly string[];
  /** sha256 by path relative to `folder`, of the files of this version; checked before load. */
  readonly sha256: Readonly<Record<string, string>>;
  /** The server that runs it; null for a model that runs here. */
  readonly upstream: Upstream | null;
  /** Changes when a file of this version changes, or what the manifest says of how it runs. */
  readonly revision: string;
}

/** Names one state of one version: whoever keeps something of a model keeps it under this. */
export function unitOf({ id, version, revision }: ModelFiles): string {
  return `${id}@${version}#${revision}`;
}

/** Whose unit it is: an id has no @. */
export function modelOfUnit(unit: string): string {
  return unit.slice(0, unit.indexOf('@'));
}

/** A folder that looks like a model but can not be served: listed with the reason instead of vanishing. */
export interface BrokenModel {
  readonly id: string;
  readonly folder: string;
  /** What was expected, what was found, what to do. */
  readonly reason: string;
  /** What to type on the machine that has the folder; null where no command can mend it. */
  readonly fix: string | null;
}

export interface ModelRepository {
  readonly models: readonly ModelFiles[];
  readonly broken: readonly BrokenModel[];
}
