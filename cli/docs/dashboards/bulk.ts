/** Bulk work: how much of the lanes it gets, and what it costs the live classes. */
import type { DashboardWish } from './dashboard.ts';
import { perSecond, quantile, queueOnBoard } from './queries.ts';

export const bulk: DashboardWish = {
  name: 'bulk',
  title: 'bulk',
  about: 'Datasets run on what the live classes leave over: they must not wait for it.',
  variables: [{ name: 'model', label: 'Model', values: { metric: 'inference_model_workers', label: 'model' } }],
  rows: [
    {
      title: 'Share',
      panels: [
        {
          title: 'Bulk share',
          about: 'Of the lane time that was used, the last 5 minutes.',
          unit: 'percentunit',
          kind: 'stat',
          width: 6,
          queries: [{ expr: 'class:lane_seconds:ratio_rate5m{class="bulk"}', legend: 'bulk' }],
        },
        {
          title: 'Left over',
          about: 'Lane time that nobody used.',
          unit: 'percentunit',
          kind: 'stat',
          width: 6,
          queries: [{ expr: '1 - avg(worker:lane_busy:ratio_rate1m)', legend: 'idle' }],
        },
        {
          title: 'Shards that wait',
          about: 'In bulk queues.',
          unit: 'short',
          kind: 'stat',
          width: 6,
          queries: [{ expr: 'sum(queue:jobs:max{class="bulk",state="waiting",model=~"$model"})', legend: 'shards' }],
        },
        {
          title: 'Shards that run',
          about: 'Claimed and not finished.',
          unit: 'short',
          kind: 'stat',
          width: 6,
          queries: [{ expr: 'sum(queue:jobs:max{class="bulk",state="claimed",model=~"$model"})', legend: 'shards' }],
        },
        {
          title: 'Lane time by class',
          about: 'Seconds per second.',
          unit: 's',
          width: 12,
          isStacked: true,
          queries: [{ expr: perSecond('inference_class_seconds_total', 'class'), legend: '{{class}}' }],
        },
        {
          title: 'Age of the oldest shard',
          about: 'Since it was admitted.',
          unit: 's',
          width: 12,
          links: [queueOnBoard],
          queries: [{ expr: 'queue:oldest_seconds:max{class="bulk",model=~"$model"}', legend: '{{queue}} {{state}}' }],
        },
      ],
    },
    {
      title: 'What it costs the others',
      panels: [
        {
          title: 'Queue wait, p99',
          about: 'By class. Bulk may wait; the others must not.',
          unit: 's',
          queries: [
            { expr: quantile(0.99, 'inference_queue_wait_seconds', '{model=~"$model"}', 'class'), legend: '{{class}}' },
          ],
        },
        {
          title: 'Batch wait, p99',
          about: 'From prepared row to engine call: at most one quantum of bulk.',
          unit: 's',
          queries: [
            { expr: quantile(0.99, 'inference_batch_wait_seconds', '{model=~"$model"}', 'class'), legend: '{{class}}' },
          ],
        },
        {
          title: 'Items by class',
          about: 'Ended per second.',
          unit: 'ops',
          isStacked: true,
          queries: [{ expr: perSecond('inference_items_total', 'class', '{model=~"$model"}'), legend: '{{class}}' }],
        },
      ],
    },
  ],
};
