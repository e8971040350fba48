/** One model: its queues, its stages, how its batches look, how its items end. */
import type { DashboardWish } from './dashboard.ts';
import { perSecond, quantile, queueOnBoard, slowTraces, stageLines } from './queries.ts';

const of = '{model=~"$model"}';
const ofClass = '{model=~"$model",class=~"$class"}';

export const model: DashboardWish = {
  name: 'model',
  title: 'one model',
  about: 'From the queue to the outcome of one model, or of several side by side.',
  variables: [
    { name: 'model', label: 'Model', values: { metric: 'inference_model_workers', label: 'model' } },
    { name: 'class', label: 'Class', values: { metric: 'inference_queue_depth', label: 'class' } },
  ],
  rows: [
    {
      title: 'Queues and stages',
      panels: [
        {
          title: 'Queue depth',
          about: 'By class and state.',
          unit: 'short',
          links: [queueOnBoard],
          queries: [{ expr: `queue:jobs:max${ofClass}`, legend: '{{queue}} {{state}}' }],
        },
        {
          title: 'Age of the oldest',
          about: 'Since it was admitted.',
          unit: 's',
          links: [queueOnBoard],
          queries: [{ expr: `queue:oldest_seconds:max${ofClass}`, legend: '{{queue}} {{state}}' }],
        },
        {
          title: 'Queue wait, p99',
          about: 'From admission to claim, by class.',
          unit: 's',
          queries: [
            {
              expr: quantile(0.99, 'inference_queue_wait_seconds', ofClass, 'model, class'),
              legend: '{{model}} {{class}}',
            },
          ],
        },
        {
          title: 'Stages, p50',
          about: 'Half are quicker.',
          unit: 's',
          width: 12,
          links: [slowTraces],
          queries: stageLines(0.5, of),
        },
        {
          title: 'Stages, p99',
          about: 'The highest line holds things up.',
          unit: 's',
          width: 12,
          links: [slowTraces],
          queries: stageLines(0.99, of),
        },
      ],
    },
    {
      title: 'Batches',
      panels: [
        {
          title: 'Rows per call',
          about: 'Mean, and p99.',
          unit: 'short',
          queries: [
            {
              expr: `${perSecond('inference_batch_rows_sum', 'model', of)} / ${perSecond('inference_batch_rows_count', 'model', of)}`,
              legend: 'mean {{model}}',
            },
            { expr: quantile(0.99, 'inference_batch_rows', of, 'model'), legend: 'p99 {{model}}' },
          ],
        },
        {
          title: 'Units per call',
          about: 'Tokens, samples or pixels, padding included; p50 and p99.',
          unit: 'short',
          queries: [
            { expr: quantile(0.5, 'inference_batch_padded_units', of, 'model'), legend: 'p50 {{model}}' },
            { expr: quantile(0.99, 'inference_batch_padded_units', of, 'model'), legend: 'p99 {{model}}' },
          ],
        },
        {
          title: 'Padding',
          about: 'Share of units that are padding.',
          unit: 'percentunit',
          queries: [{ expr: `model:padding:ratio_rate5m${of}`, legend: '{{model}}' }],
        },
        {
          title: 'Compute per row',
          about: 'Engine time over rows.',
          unit: 's',
          queries: [{ expr: `model:compute_seconds:mean_rate5m${of}`, legend: '{{model}}' }],
        },
        {
          title: 'Measured over predicted',
          about: '1 is right. Off by 2 for long: batches are formed by wrong numbers.',
          unit: 'short',
          badFrom: 2,
          queries: [
            { expr: `model:call_seconds:ratio_rate5m${of}`, legend: 'all calls {{model}}' },
            { expr: quantile(0.9, 'inference_cost_error_ratio', of, 'model'), legend: 'p90 of a call {{model}}' },
          ],
        },
        {
          title: 'Calls',
          about: 'Per second.',
          unit: 'ops',
          queries: [{ expr: perSecond('inference_compute_seconds_count', 'model', of), legend: '{{model}}' }],
        },
        {
          title: 'Calls to servers elsewhere',
          about: 'By what came of them. Busy, away, faulty and denied are the server; item is what was sent.',
          unit: 'ops',
          isStacked: true,
          queries: [
            { expr: perSecond('inference_upstream_calls_total', 'model, result', of), legend: '{{model}} {{result}}' },
          ],
        },
      ],
    },
    {
      title: 'Ends',
      panels: [
        {
          title: 'Items ended',
          about: 'By outcome and reason.',
          unit: 'ops',
          isStacked: true,
          queries: [
            { expr: perSecond('inference_items_total', 'outcome, reason', ofClass), legend: '{{outcome}} {{reason}}' },
          ],
        },
        {
          title: 'Suspects and poison',
          about: 'Rows on board of calls that killed a lane, and items set aside.',
          unit: 'ops',
          queries: [
            { expr: perSecond('inference_suspect_rows_total', 'model', of), legend: 'suspect rows {{model}}' },
            { expr: perSecond('inference_dead_letters_total', 'model', of), legend: 'set aside {{model}}' },
            { expr: perSecond('inference_late_results_total', 'model', of), legend: 'late {{model}}' },
          ],
        },
        {
          title: 'Workers',
          about: 'By what they say of the model.',
          unit: 'none',
          queries: [{ expr: `model:workers:max${of}`, legend: '{{model}} {{state}}' }],
        },
        {
          title: 'Load',
          about: 'Time of the last load in a lane.',
          unit: 's',
          kind: 'stat',
          width: 12,
          queries: [{ expr: `max by (model) (inference_model_load_seconds${of})`, legend: '{{model}}' }],
        },
        {
          title: 'Memory',
          about: 'What the last load and canary added to a lane; every lane holds one.',
          unit: 'bytes',
          kind: 'stat',
          width: 12,
          queries: [{ expr: `max by (model) (inference_model_memory_bytes${of})`, legend: '{{model}}' }],
        },
      ],
    },
  ],
};
