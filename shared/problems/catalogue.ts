/**
 * Every way a request or a job can go wrong, as data: one row per slug, one file per family. Owns the mapping slug ->
 * HTTP status, meaning and next step; knows neither HTTP responses nor the place where a problem is raised.
 * `/problems/<slug>` renders a row.
 */
import { bodyProblems } from './rows/body-problems.ts';
import { jobProblems } from './rows/job-problems.ts';
import { mediaProblems } from './rows/media-problems.ts';
import { predictionProblems } from './rows/prediction-problems.ts';
import type { ProblemRow } from './rows/problem-row.ts';
import { requestProblems } from './rows/request-problems.ts';
import { urlProblems } from './rows/url-problems.ts';
import { webhookProblems } from './rows/webhook-problems.ts';

export const problemCatalogue = {
  ...requestProblems,
  ...bodyProblems,
  ...urlProblems,
  ...mediaProblems,
  ...jobProblems,
  ...webhookProblems,
  ...predictionProblems,
} as const satisfies Record<string, ProblemRow>;

export type ProblemSlug = keyof typeof problemCatalogue;
