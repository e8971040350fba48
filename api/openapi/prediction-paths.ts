/** The paths of the record of predictions, as the OpenAPI document tells them. */
import { z } from 'zod';
import { exportChoices, exportFormats, verdicts } from '../../shared/predictions/words.ts';
import type { ProblemSlug } from '../../shared/problems/catalogue.ts';
import { feedbackSchema, limitDefault, limitMax } from '../predictions/read-questions.ts';
import { jobId, type PathDoc } from './path-doc.ts';

const time = z.string().meta({ format: 'date-time' });
const seconds = z.number().nullable();

const predictionSchema = z
  .object({
    object: z.literal('prediction'),
    job: z.string(),
    item: z.int(),
    task: z.string(),
    model: z.string(),
    model_version: z.string().nullable(),
    arm: z.string().nullable().describe('Which of several compared models was asked.'),
    status: z.string(),
    error: z.string().nullable().describe('Slug of the problem of an item that did not succeed.'),
    label: z.string().nullable(),
    score: z.number().nullable(),
    summary: z.unknown().describe('The output in short, as the task says; `cut: true` where something was left out.'),
    input: z.object({
      kind: z.string().nullable(),
      sha256: z.string().nullable(),
      length: z.number().nullable(),
      length_unit: z.string().nullable(),
      content: z.string().nullable().describe('The text or URL, where the operator has it kept.'),
      media: z.string().nullable().describe('Path of the kept file.'),
    }),
    metrics: z.object({
      queue_seconds: seconds,
      prepare_seconds: seconds,
      compute_seconds: seconds,
      total_seconds: seconds,
      batch_rows: z.number().nullable(),
    }),
    trace_id: z.string().nullable(),
    created_at: time,
    finished_at: time,
    feedback: z
      .object({
        verdict: z.enum(verdicts),
        corrected_output: z.unknown(),
        note: z.string().nullable(),
        created_at: time,
      })
      .nullable()
      .describe('The newest word on it.'),
  })
  .meta({ id: 'Prediction', description: 'One item of a job that ended. It outlives the job.' });

const bins = z.object({
  psi: z.number().nullable().describe('Population stability index: below 0.1 the same, above 0.25 another.'),
  bins: z.array(z.object({ name: z.string(), reference: z.int(), current: z.int() })),
});
const window = z.object({ from: time, to: time, predictions: z.int() });
const driftSchema = z
  .object({
    object: z.literal('drift'),
    model: z.string(),
    window,
    reference: window,
    labels: bins,
    scores: bins,
    input_lengths: bins,
  })
  .meta({ id: 'Drift' });

const asking: readonly ProblemSlug[] = ['invalid-parameter', 'predictions-off', 'predictions-unavailable'];
const from = z.string().optional().describe('Ended at or after this RFC 3339 time.');
const to = z.string().optional().describe('Ended before this RFC 3339 time.');

export const predictionPaths: readonly PathDoc[] = [
  {
    method: 'get',
    path: '/v1/predictions',
    tag: 'Predictions',
    summary: 'Search predictions, newest first',
    description:
      'Every item of every job that ended, also long after the job is gone. A page may hold fewer than `limit` and still ' +
      'have a next one: filters read a bounded number.',
    example: "curl 'BASE/v1/predictions?max_score=0.6&limit=5'",
    query: z.object({
      task: z.string().optional(),
      model: z.string().optional(),
      label: z.string().optional().describe('Exactly this best label.'),
      min_score: z.string().optional().describe('Best score of at least this.'),
      max_score: z.string().optional().describe('Best score of at most this: what the model was unsure of.'),
      from,
      to,
      q: z.string().optional().describe('Part of a label, of a kept text, or of a transcript.'),
      cursor: z.string().optional().describe('`next_cursor` of the page before.'),
      limit: z.string().optional().describe(`1 to ${limitMax}; ${limitDefault} by default.`),
    }),
    answers: {
      200: {
        description: 'A page.',
        schema: z.object({
          object: z.literal('list'),
          data: z.array(predictionSchema),
          has_more: z.boolean(),
          next_cursor: z.string().nullable(),
        }),
      },
    },
    problems: asking,
  },
  {
    method: 'post',
    path: '/v1/jobs/{id}/feedback',
    tag: 'Predictions',
    summary: 'Say whether a prediction was right',
    description: 'Also when the job is long gone, and again: every word is kept, the newest counts.',
    example: `curl -d '{"verdict":"right"}' -H 'Content-Type: application/json' BASE/v1/jobs/$JOB/feedback`,
    parameters: jobId,
    body: feedbackSchema,
    answers: { 201: { description: 'The prediction as it stands now.', schema: predictionSchema } },
    problems: [
      ...asking,
      'invalid-id',
      'not-found',
      'malformed-json',
      'empty-body',
      'validation-failed',
      'payload-too-large',
    ],
  },
  {
    method: 'get',
    path: '/v1/predictions/{id}/{item}/input',
    tag: 'Predictions',
    summary: 'Read the kept media of a prediction',
    example: 'curl BASE/v1/predictions/$JOB/0/input -o kept-input',
    parameters: jobId.extend({ item: z.string().describe('Index of the item, from 0.') }),
    answers: { 200: { description: 'The file as it was sent.', schema: z.string(), type: 'application/octet-stream' } },
    problems: [...asking, 'invalid-id', 'not-found'],
  },
  {
    method: 'get',
    path: '/v1/datasets/export',
    tag: 'Predictions',
    summary: 'Export judged predictions for training',
    description: 'One example per prediction, in the shape that trainers of the task read.',
    example: "curl 'BASE/v1/datasets/export?task=token-classification&include=all&format=csv'",
    query: z.object({
      task: z.string().describe('One task: each has its own shape.'),
      model: z.string().optional(),
      format: z.enum(exportFormats).optional(),
      include: z.enum(exportChoices).optional().describe('`corrected` (default), `confirmed` as right, or `all`.'),
      from,
      to,
    }),
    answers: { 200: { description: 'The file.', schema: z.string(), type: 'application/jsonl' } },
    problems: [...asking, 'nothing-to-learn'],
  },
  {
    method: 'get',
    path: '/v1/models/{id}/drift',
    tag: 'Predictions',
    summary: 'Compare what a model says now with what it said before',
    example: "curl 'BASE/v1/models/MODEL/drift?window=24h&reference=7d'",
    parameters: z.object({
      id: z.string().meta({ description: 'Id of a model, also of one that is no longer there.' }),
    }),
    query: z.object({
      window: z.string().optional().describe('Length of the window that ends now: 30m, 24h (default), 7d.'),
      reference: z.string().optional().describe('Length of the time before it: 7d by default.'),
    }),
    answers: { 200: { description: 'Counts of both, and an index of each.', schema: driftSchema } },
    problems: asking,
  },
];
