/**
 * `manifest.yaml` of a model folder: its schema, and reading it with every fault named. Knows nothing of weights.
 */
import { parse } from 'yaml';
import { z } from 'zod';
import { type Dtype, dtypeSuffixes } from './dtypes.ts';
import { nearestMatch } from './nearest-match.ts';
import { upstreamSchema } from './upstream.ts';

const dtypes = Object.keys(dtypeSuffixes) as [Dtype, ...Dtype[]];
// 2,000 characters are a screen of text; a manifest is not the model card.
const prose = z.string().max(2000);
const relativePath = z
  .string()
  .max(300)
  .refine((path) => !path.startsWith('/') && !path.split(/[\\/]/).includes('..'), 'must stay inside the model folder');

/** What comes out is either written down, or, for vectors, compared with other texts' vectors. */
const sampleSchema = z
  .strictObject({
    // A text, a file, or whatever object the task takes: its contract checks that.
    input: z.union([z.string(), z.strictObject({ file: relativePath }), z.record(z.string(), z.unknown())]),
    expect: z.unknown().optional(),
    nearest: z.strictObject({ among: z.array(prose).min(2).max(20), expect: prose }).optional(),
  })
  .refine(({ expect, nearest }) => (expect === undefined) !== (nearest === undefined), 'needs `expect` or `nearest`')
  .refine(({ nearest }) => !nearest || nearest.among.includes(nearest.expect), 'nearest.expect must be one of among');

/** They say how files are found and run, and a model behind an upstream has none here. */
const wordsOfFiles = ['version_policy', 'dtype', 'warm_up', 'batch_drift_max', 'custom_op_domains', 'files'] as const;

const manifestSchema = z.strictObject({
  task: z.string().max(64),
  default: z.boolean().optional(),
  description: prose.optional(),
  licence: prose.optional(),
  /** The model card; README.md when there is one. */
  card: relativePath.optional(),
  /** Where the files were fetched from. */
  source: prose.optional(),
  /** Which version folders are served: the highest, all, or those listed. */
  version_policy: z
    .union([z.enum(['latest', 'all']), z.array(z.union([z.string(), z.int().transform(String)])).min(1)])
    .optional(),
  dtype: z.enum(dtypes).optional(),
  limits: z
    .strictObject({
      text_tokens_max: z.int().min(1).optional(),
      audio_seconds_max: z.number().positive().optional(),
      image_pixels_max: z.int().min(1).optional(),
    })
    .optional(),
  parameters: z.record(z.string(), z.unknown()).optional(),
  /** Batch sizes that a lane runs once before it calls the model ready: a GPU tunes its kernels per size. */
  warm_up: z.array(z.int().min(1).max(1024)).max(8).optional(),
  /** How far a number of an output may move with the item's batch-mates, as the card has measured it. */
  batch_drift_max: z.number().positive().optional(),
  /** Domains of operators that ONNX Runtime does not have itself. */
  custom_op_domains: z.array(z.string().max(200)).max(16).optional(),
  samples: z.array(sampleSchema).max(100).optional(),
  files: z
    .record(relativePath, z.strictObject({ sha256: z.string().regex(/^[0-9a-f]{64}$/, 'must be 64 hex digits') }))
    .optional(),
  /** The server that runs the model, instead of files. */
  upstream: upstreamSchema.optional(),
});
export type Manifest = z.infer<typeof manifestSchema>;

/** Thrown while reading one model folder; its message becomes the BrokenModel's reason. */
export class ModelFault extends Error {
  /** What to type; null where no command can mend it. */
  readonly fix: string | null;

  constructor(
    message: string,
    { fix = null, ...options }: { readonly fix?: string | null; readonly cause?: unknown } = {},
  ) {
    super(message, options);
    this.fix = fix;
  }
}

/** The manifest, or a ModelFault that names every fault with the nearest known word. */
export function parseManifest(yaml: string): Manifest {
  let value: unknown;
  try {
    // Aliases could make 10^9 nodes of a small file; no manifest needs one.
    value = parse(yaml, { maxAliasCount: 0 });
  } catch (error) {
    throw new ModelFault(`manifest.yaml is not YAML: ${firstLine(error)}`);
  }
  const parsed = manifestSchema.safeParse(value);
  if (parsed.success) return withOneWayToRun(parsed.data);
  throw new ModelFault(`manifest.yaml: ${parsed.error.issues.map(describeIssue).join('; ')}.`);
}

function withOneWayToRun(manifest: Manifest): Manifest {
  const ofFiles = manifest.upstream ? wordsOfFiles.filter((word) => manifest[word] !== undefined) : [];
  if (ofFiles.length === 0) return manifest;
  throw new ModelFault(`manifest.yaml: ${ofFiles.join(', ')} tell of files, and the model runs at its upstream.`);
}

function describeIssue(issue: z.core.$ZodIssue): string {
  const at = issue.path.length > 0 ? `${issue.path.join('.')}: ` : '';
  if (issue.code === 'unrecognized_keys') {
    const known = Object.keys(issue.path[0] === 'upstream' ? upstreamSchema.shape : manifestSchema.shape);
    return issue.keys.map((key) => `${at}unknown key "${key}"${suggestion(key, known)}`).join('; ');
  }
  return `${at}${issue.message}`;
}

/** `; did you mean "x"?` or nothing. */
export function suggestion(word: string, known: Iterable<string>): string {
  const nearest = nearestMatch(word, known);
  return nearest === null ? '' : `; did you mean "${nearest}"?`;
}

/** At most eight names: enough to see what kind of folder it is. */
export function listNames(names: readonly string[]): string {
  if (names.length === 0) return 'nothing';
  return names.slice(0, 8).join(', ') + (names.length > 8 ? `, and ${names.length - 8} more` : '');
}

export function firstLine(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).split('\n', 1)[0] ?? '';
}
