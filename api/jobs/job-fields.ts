/**
 * The fields of `POST /v1/jobs`, whichever way they come (JSON or form). Checks types and ranges; what an item may be is
 * the task's contract and `take-items.ts`. The same schemas make the OpenAPI document.
 */
import { z } from 'zod';
import { nearestMatch } from '../../models/repository/nearest-match.ts';
import { itemsPerJobMax, jobStatuses, outcomes, priorities } from '../../shared/jobs/job.ts';
import { type FieldFault, Problem } from '../../shared/problems/problem.ts';
import { escapePointer, parseJsonText } from '../http/parse-json.ts';

/** Replicate keeps an hour, OpenAI a month: a caller may choose between. */
const retentionSecondsMax = 2_592_000;
const expirySecondsMax = 604_800;
const runSecondsMax = 86_400;

const webhookSchema = z.strictObject({
  url: z.string().min(1).max(4096).describe('Called with POST, signed as Standard Webhooks 1.0 says.'),
  events: z
    .array(z.enum(jobStatuses))
    .min(1)
    .max(jobStatuses.length)
    .default([...outcomes])
    .describe('Statuses to be told of; each comes as `job.<status>`. Default: every way to end.'),
  secret: z.string().max(200).optional().describe("`whsec_` and base64 of 24 to 64 bytes. Default: the tenant's own."),
});

/** Of `POST /v1/webhooks/enable`. */
export const enableSchema = z.strictObject({
  url: z.string().min(1).max(4096).describe('As the job named it; GET /v1/webhooks/disabled lists them.'),
});

export const jobFieldsSchema = z.strictObject({
  model: z
    .string()
    .min(1)
    .max(200)
    .optional()
    .describe('Id of a model (GET /v1/models), or `id@version` for one of its versions.'),
  task: z.string().min(1).max(200).optional().describe('Instead of a model: the task, served by its default model.'),
  input: z
    .unknown()
    .optional()
    .describe('One item: a text, `{text}`, `{data}` (base64 or data URI), `{url}`, or what the task says.'),
  inputs: z.array(z.unknown()).optional().describe(`Several items, 1 to ${itemsPerJobMax}; the output is then a list.`),
  parameters: z
    .record(z.string(), z.unknown())
    .optional()
    .describe('Parameters of the task; GET /v1/models lists them.'),
  priority: z.enum(priorities).optional().describe('Default: as the task says; speech is high, others normal.'),
  webhook: webhookSchema.optional(),
  metadata: z
    .record(z.string().min(1).max(64), z.string().max(512))
    .refine((value) => Object.keys(value).length <= 16, 'At most 16 entries')
    .optional()
    .describe('Up to 16 texts of yours, given back with the job.'),
  expires_in: z
    .number()
    .positive()
    .max(expirySecondsMax)
    .optional()
    .describe('Seconds that the job may wait before it starts; then it is `expired`.'),
  timeout: z.number().positive().max(runSecondsMax).optional().describe('Seconds that the job may run.'),
  retention: z
    .int()
    .min(1)
    .max(retentionSecondsMax)
    .optional()
    .describe('Seconds that the outcome is kept after the end.'),
  cancel_on_disconnect: z
    .boolean()
    .optional()
    .describe('With `Prefer: wait`: cancel the job when the caller hangs up while waiting.'),
});
export type JobFields = z.infer<typeof jobFieldsSchema>;

/** Throws `validation-failed` with one entry per fault. */
export function checkFields(value: unknown): JobFields {
  const parsed = jobFieldsSchema.safeParse(value);
  if (!parsed.success) throw invalid(parsed.error.issues, '', Object.keys(jobFieldsSchema.shape));
  const items = parsed.data.inputs?.length;
  if (items !== undefined && items > itemsPerJobMax) {
    throw new Problem(
      'too-many-items',
      `\`inputs\` has ${items} items; ${itemsPerJobMax} are the most. Split the job.`,
    );
  }
  return parsed.data;
}

const jsonFields = new Set(['inputs', 'parameters', 'webhook', 'metadata']);
const numberFields = new Set(['expires_in', 'timeout', 'retention']);
const formBooleans = new Map([
  ['true', true],
  ['1', true],
  ['false', false],
  ['0', false],
]);

/** Form fields are texts: lists and objects come as JSON, numbers and booleans as they are written. */
export function formToFields(form: Readonly<Record<string, string>>): Record<string, unknown> {
  const fields: Record<string, unknown> = {};
  for (const [name, text] of Object.entries(form)) {
    if (jsonFields.has(name)) fields[name] = parseJsonText(text, `/${name}`);
    else if (numberFields.has(name)) fields[name] = text.trim() === '' ? text : Number(text);
    else if (name === 'cancel_on_disconnect') fields[name] = formBooleans.get(text) ?? text;
    else fields[name] = text;
  }
  return fields;
}

/** zod's issues as JSON pointers. `base` is where the checked value stands in the body, `known` its fields there. */
export function invalid(issues: readonly z.core.$ZodIssue[], base = '', known: readonly string[] = []): Problem {
  const errors = issues.slice(0, 20).flatMap((issue) => faultsOf(issue, base, known));
  const first = errors[0];
  const detail = first ? `${first.pointer || 'The body'}: ${first.detail}` : 'A field is wrong.';
  return new Problem('validation-failed', errors.length > 1 ? `${detail} (${errors.length} faults)` : detail, {
    errors,
  });
}

function faultsOf(issue: z.core.$ZodIssue, base: string, known: readonly string[]): FieldFault[] {
  const pointer = issue.path.reduce<string>((path, part) => `${path}/${escapePointer(String(part))}`, base);
  const branch = issue.code === 'invalid_union' ? nearestBranch(issue.errors) : undefined;
  if (branch) return branch.flatMap((inner) => faultsOf(inner, pointer, known));
  if (issue.code === 'unrecognized_keys') {
    const fields = issue.path.length === 0 ? known : [];
    return issue.keys
      .slice(0, 20)
      .map((key) => ({ pointer: `${pointer}/${escapePointer(key)}`, detail: unknownField(key, fields) }));
  }
  return [{ pointer, detail: issue.message }];
}

/** Of several shapes, the one that fits but for the fewest faults; none when two fit alike: the whole says more then. */
function nearestBranch(branches: readonly z.core.$ZodIssue[][]): readonly z.core.$ZodIssue[] | undefined {
  const [first, second] = branches.toSorted((a, b) => a.length - b.length);
  return first && (!second || first.length < second.length) ? first : undefined;
}

function unknownField(name: string, known: readonly string[]): string {
  if (known.length === 0) return 'Unknown field.';
  const nearest = nearestMatch(name.slice(0, 100), known);
  return nearest === null ? `Unknown field. Fields: ${known.join(', ')}.` : `Unknown field; did you mean "${nearest}"?`;
}
