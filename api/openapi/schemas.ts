/** The wire shapes of answers, for the OpenAPI document. Requests are `jobs/job-fields.ts`; outputs are the contracts'. */
import { z } from 'zod';
import { jobClasses, jobStatuses, outcomes } from '../../shared/jobs/job.ts';

const time = z.string().meta({ format: 'date-time' });

export const problemSchema = z
  .object({
    type: z.string().describe('Path of the page that explains it: `/problems/<slug>`.'),
    title: z.string(),
    status: z.int(),
    detail: z.string().describe('What was got, what is taken, what to do.'),
    errors: z
      .array(z.object({ pointer: z.string().describe('JSON Pointer into the body.'), detail: z.string() }))
      .optional(),
    request_id: z.string().optional(),
  })
  .meta({ id: 'Problem', description: 'RFC 9457 problem details.' });

const itemResult = z
  .object({
    index: z.int(),
    status: z.enum(jobStatuses),
    output: z.unknown().optional(),
    error: problemSchema.optional(),
  })
  .meta({ id: 'ItemResult', description: 'One item of a job that was sent with `inputs` or several files.' });

export const jobSchema = z
  .object({
    id: z.string(),
    object: z.literal('job'),
    status: z.enum(jobStatuses),
    task: z.string(),
    model: z.string(),
    model_version: z.string().nullable().describe('The version that ran; null before it started.'),
    waits_for: z
      .string()
      .optional()
      .describe('While queued: what it waits for beyond its turn, such as a model that is not loaded.'),
    priority: z.enum(jobClasses),
    created_at: time,
    started_at: time.nullable(),
    finished_at: time.nullable(),
    output: z
      .union([z.array(itemResult), z.unknown()])
      .describe('As the task says; for several items a list of ItemResult in their order; null before the end.'),
    output_omitted: z
      .literal(true)
      .optional()
      .describe('In lists and webhooks: the output is too large for them; read it at `urls.self`.'),
    counts: z.object({ total: z.int(), succeeded: z.int(), failed: z.int() }),
    error: problemSchema.nullable(),
    metrics: z.object({
      queue_seconds: z.number().nullable(),
      prepare_seconds: z.number().nullable(),
      compute_seconds: z.number().nullable(),
      total_seconds: z.number().nullable(),
      batch_rows: z.number().nullable().describe('Rows of the engine call that the job was in.'),
    }),
    attempts: z.int(),
    metadata: z.record(z.string(), z.string()),
    trace_id: z
      .string()
      .nullable()
      .describe('W3C trace id of the request that submitted it: in its log lines, its spans and its webhooks.'),
    retried_from: z
      .string()
      .optional()
      .describe('Id of the job that was set aside, when an operator had it run again as this one.'),
    urls: z.object({ self: z.string(), events: z.string(), cancel: z.string() }),
  })
  .meta({ id: 'Job', description: 'The same object in answers, lists, webhooks and event streams.' });

export const jobListSchema = z
  .object({
    object: z.literal('list'),
    data: z.array(jobSchema),
    has_more: z.boolean(),
    next_cursor: z.string().nullable().describe('Pass as `cursor` for the next page; null at the end.'),
  })
  .meta({ id: 'JobList' });

const loadState = z.enum(['loading', 'ready', 'failed', 'quarantined']);
const workerState = z.object({
  worker: z.string(),
  state: z.enum([...loadState.options, 'unloading']),
  version: z.string().describe('What a job that names no version gets.'),
  device: z.string(),
  lanes: z.int().describe('Processes that each hold the model.'),
  threads: z.int().describe('Of each lane.'),
  error: z.string().nullable().describe('Also while an older version goes on serving.'),
  versions: z.array(
    z.object({
      version: z.string(),
      state: loadState,
      error: z.string().nullable(),
      ready_since: time.nullable(),
      memory_bytes: z.int().describe('What its load added to one lane.'),
      current: z.boolean().describe('False while its successor loads.'),
    }),
  ),
  at: time,
});

export const modelSchema = z
  .object({
    id: z.string(),
    object: z.literal('model'),
    task: z.string().nullable(),
    version: z.string().nullable(),
    versions: z.array(z.string()).optional().describe('Served versions, highest first; name one as `id@version`.'),
    default: z.boolean().describe('Serves its task when a request names no model.'),
    status: z.enum(['ready', 'loading', 'quarantined', 'failed', 'unloading', 'unloaded', 'no-worker', 'broken']),
    error: z.string().nullable().describe('Why it can not run, or why a newer version can not.'),
    unloaded_at: time.nullable().optional().describe('When an operator unloaded it.'),
    description: z.string().optional(),
    licence: z.string().nullable().optional(),
    dtype: z.string().optional(),
    upstream: z
      .object({ kind: z.string(), model: z.string() })
      .optional()
      .describe('Of a model that a server elsewhere runs: the protocol, and its name there.'),
    input: z.enum(['text', 'audio', 'image']).optional(),
    input_schema: z
      .record(z.string(), z.unknown())
      .optional()
      .describe('JSON Schema of one item, where it is more than one text or file.'),
    limits: z
      .object({
        item_bytes_max: z.int(),
        text_tokens_max: z.int().nullable(),
        audio_seconds_max: z.number().nullable(),
        image_pixels_max: z.int().nullable(),
      })
      .optional(),
    parameters: z.record(z.string(), z.unknown()).optional().describe("The model's own defaults."),
    parameters_schema: z.record(z.string(), z.unknown()).optional().describe('JSON Schema of what the task takes.'),
    workers: z.array(workerState),
  })
  .meta({ id: 'Model' });

export const modelListSchema = z
  .object({ object: z.literal('list'), data: z.array(modelSchema) })
  .meta({ id: 'ModelList' });

export const deliveriesSchema = z
  .object({
    object: z.literal('list'),
    data: z.array(
      z.object({
        seq: z.int().describe("The event's number within the job."),
        event: z.string(),
        attempt: z.int(),
        at: time,
        host: z.string(),
        status_code: z.int().nullable(),
        error: z.string().nullable(),
        ms: z.number(),
        next_at: time.nullable(),
      }),
    ),
  })
  .meta({ id: 'DeliveryList' });

export const readinessSchema = z
  .object({
    status: z.enum(['ready', 'not-ready']),
    checks: z.array(z.object({ name: z.string(), ok: z.boolean(), detail: z.string(), fix: z.string().nullable() })),
  })
  .meta({ id: 'Readiness' });

export const webhookSecretSchema = z.object({ secret: z.string() }).meta({ id: 'WebhookSecret' });

export const redeliverySchema = z
  .object({ object: z.literal('redelivery'), status: z.literal('queued') })
  .meta({ id: 'Redelivery' });

export const disabledWebhooksSchema = z
  .object({ object: z.literal('list'), data: z.array(z.object({ url: z.string() })) })
  .meta({ id: 'DisabledWebhooks' });

export const enabledWebhookSchema = z
  .object({ url: z.string(), was_disabled: z.boolean().describe('False when there was nothing to do.') })
  .meta({ id: 'EnabledWebhook' });

export const webhookEventSchema = z
  .object({
    type: z.enum(jobStatuses.map((status) => `job.${status}` as const) as [string, ...string[]]),
    timestamp: time,
    data: jobSchema,
  })
  .meta({
    id: 'WebhookEvent',
    description: `Sent when a wanted status is reached; by default ${outcomes.join(', ')}.`,
  });
