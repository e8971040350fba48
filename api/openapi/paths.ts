/** Every path of the public port, as the OpenAPI document tells it. A test holds it against the routes. */
import { z } from 'zod';
import { jobStatuses } from '../../shared/jobs/job.ts';
import { type ProblemSlug, problemCatalogue } from '../../shared/problems/catalogue.ts';
import { jobId, type PathDoc, reading } from './path-doc.ts';
import { predictionPaths } from './prediction-paths.ts';
import { jobListSchema, jobSchema, modelListSchema, modelSchema, readinessSchema } from './schemas.ts';
import { webhookPaths } from './webhook-paths.ts';

const prefer = z
  .string()
  .optional()
  .describe('`wait=<seconds>`, at most 60: answer when the job has ended.')
  .meta({ example: 'wait=30' });

/** Problems that every route can answer with. */
export const commonProblems: readonly ProblemSlug[] = [
  'unauthenticated',
  'key-in-url',
  'foreign-origin',
  'overloaded',
  'internal-error',
];

export const submitProblems: readonly ProblemSlug[] = [
  'bad-request',
  'malformed-json',
  'empty-body',
  'too-deep',
  'forbidden-key',
  'bad-encoding',
  'malformed-multipart',
  'too-many-parts',
  'invalid-idempotency-key',
  'request-timeout',
  'payload-too-large',
  'unsupported-media-type',
  'unsupported-file-type',
  'validation-failed',
  'unknown-model',
  'model-unavailable',
  'unknown-task',
  'too-many-items',
  'input-too-long',
  'invalid-unicode',
  'non-finite',
  'unsafe-integer',
  'invalid-base64',
  'empty-file',
  'image-too-large',
  'corrupt-image',
  'corrupt-audio',
  'audio-too-long',
  'unsupported-scheme',
  'invalid-url',
  'blocked-address',
  'weak-webhook-secret',
  'idempotency-key-reused',
  'gone',
  'quota-exceeded',
];

export const pathDocs: readonly PathDoc[] = [
  {
    method: 'post',
    path: '/v1/jobs',
    tag: 'Jobs',
    summary: 'Submit a job',
    description:
      'Accepted means durable: a 202 is never lost. Send JSON, or a form with `file` parts for media. With ' +
      '`Prefer: wait=30` the answer is 200 with the finished job when it ends in time. With an `Idempotency-Key` the ' +
      'same request can be sent again for at least a day and always answers with the same job.',
    headers: z.object({
      'Idempotency-Key': z.string().optional().describe('1 to 255 printable ASCII characters; one per wish of yours.'),
      Prefer: prefer,
      'Cancel-On-Disconnect': z.enum(['true']).optional().describe('Cancel the job when you hang up while waiting.'),
      traceparent: z.string().optional().describe('W3C trace context; kept with the job and handed on.'),
    }),
    answers: {
      202: { description: 'Accepted. `Location` names the job.', schema: jobSchema },
      200: { description: 'It has ended within the wait, or was sent before and has ended.', schema: jobSchema },
    },
    problems: submitProblems,
  },
  {
    method: 'get',
    path: '/v1/jobs',
    tag: 'Jobs',
    summary: 'List jobs, newest first',
    description: 'A page may hold fewer jobs than `limit` and still have a next one: filters read a bounded number.',
    query: z.object({
      status: z.enum(jobStatuses).optional(),
      model: z.string().optional(),
      created_after: z.string().optional().describe('RFC 3339 time.').meta({ example: '2026-01-31T12:00:00Z' }),
      cursor: z.string().optional().describe('`next_cursor` of the page before.'),
      limit: z.string().optional().describe('1 to 100; 20 by default.').meta({ example: '20' }),
    }),
    answers: { 200: { description: 'A page.', schema: jobListSchema } },
    problems: ['invalid-parameter'],
    example: "curl 'BASE/v1/jobs?status=succeeded&limit=5'",
  },
  {
    method: 'get',
    path: '/v1/jobs/{id}',
    tag: 'Jobs',
    summary: 'Read a job',
    parameters: jobId,
    headers: z.object({ Prefer: prefer }),
    answers: { 200: { description: 'The job as it is now.', schema: jobSchema } },
    problems: [...reading, 'invalid-parameter'],
    example: "curl -H 'Prefer: wait=30' BASE/v1/jobs/$JOB",
  },
  {
    method: 'delete',
    path: '/v1/jobs/{id}',
    tag: 'Jobs',
    summary: 'Erase a job',
    description: 'Cancels it when it is live, then removes its record, inputs and deliveries for good.',
    parameters: jobId,
    answers: { 204: { description: 'Nothing of it is left.' } },
    problems: ['invalid-id', 'not-found'],
    example: 'curl -X DELETE BASE/v1/jobs/$JOB',
  },
  {
    method: 'post',
    path: '/v1/jobs/{id}/cancel',
    tag: 'Jobs',
    summary: 'Cancel a job',
    description: 'Queued or running. Final at once: results that come later are thrown away.',
    parameters: jobId,
    answers: { 200: { description: 'The canceled job, now or before.', schema: jobSchema } },
    problems: [...reading, 'already-finished'],
    example: 'curl -X POST BASE/v1/jobs/$JOB/cancel',
  },
  {
    method: 'get',
    path: '/v1/jobs/{id}/events',
    tag: 'Jobs',
    summary: 'Follow a job',
    description:
      'Server-sent events: `id:` is a number per job, `event:` the new status or `progress`, `data:` the job. A new ' +
      'reader gets the present state first; one that comes back with `Last-Event-ID` gets exactly what it missed, or one ' +
      '`reset` when that id is unknown. The stream ends with the job; coming back after that is answered 204. With keys ' +
      'configured, `urls.events` carries a token, since an EventSource sends no headers.',
    parameters: jobId,
    query: z.object({
      token: z.string().optional().describe('As in `urls.events`; good for an hour.'),
      last_event_id: z.string().optional().describe('Instead of the header.'),
    }),
    headers: z.object({ 'Last-Event-ID': z.string().optional() }),
    answers: {
      200: { description: 'The stream.', schema: z.string(), type: 'text/event-stream' },
      204: { description: 'The outcome was seen before.' },
    },
    problems: [...reading, 'invalid-parameter', 'too-many-streams'],
    example: 'curl -N BASE/v1/jobs/$JOB/events',
  },
  ...predictionPaths,
  ...webhookPaths,
  {
    method: 'get',
    path: '/v1/models',
    tag: 'Models',
    summary: 'List models',
    description: 'What the repository holds and whether it can run; a model that can not says why.',
    answers: { 200: { description: 'All models.', schema: modelListSchema } },
    problems: ['invalid-parameter'],
    example: 'curl BASE/v1/models',
  },
  {
    method: 'get',
    path: '/v1/models/{id}',
    tag: 'Models',
    summary: 'Read a model',
    parameters: z.object({ id: z.string().meta({ description: 'Id of a model.' }) }),
    answers: { 200: { description: 'The model.', schema: modelSchema } },
    problems: ['not-found', 'invalid-parameter'],
  },
  {
    method: 'get',
    path: '/livez',
    tag: 'Health',
    summary: 'Does the process answer?',
    isOpen: true,
    answers: { 200: { description: 'Yes.', schema: z.object({ status: z.literal('ok') }) } },
    problems: [],
    example: 'curl BASE/livez',
  },
  {
    method: 'get',
    path: '/readyz',
    tag: 'Health',
    summary: 'Would jobs be worked off?',
    isOpen: true,
    answers: {
      200: { description: 'Yes.', schema: readinessSchema },
      503: { description: 'No; the checks name the broken part and its fix.', schema: readinessSchema },
    },
    problems: [],
    example: 'curl BASE/readyz',
  },
];

/** Slugs by HTTP status. */
export function problemsByStatus(slugs: readonly ProblemSlug[]): Map<number, ProblemSlug[]> {
  const byStatus = new Map<number, ProblemSlug[]>();
  for (const slug of slugs) {
    const { status } = problemCatalogue[slug];
    byStatus.set(status, [...(byStatus.get(status) ?? []), slug]);
  }
  return byStatus;
}
