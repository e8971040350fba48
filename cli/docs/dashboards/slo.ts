/** Service levels: how fast each budget burns, over the windows of the alerts. */
import type { DashboardWish, PanelWish } from './dashboard.ts';
import { perSecond, quantile } from './queries.ts';

const burn = (window: string): string =>
  `slo:errors:ratio_rate${window}{class=~"$class|"} / on (slo) group_left () slo:error_budget:ratio`;

const burnPanel = (window: string, threshold: number): PanelWish => ({
  title: `Burn rate, ${window}`,
  about: `1 uses up the budget of 30 days in 30 days. The alert fires above ${threshold}.`,
  unit: 'short',
  width: 12,
  badFrom: threshold,
  queries: [{ expr: burn(window), legend: '{{slo}} {{class}}' }],
});

export const slo: DashboardWish = {
  name: 'slo',
  title: 'service levels',
  about:
    'queue-wait: high within 0.5 s, normal 2.5 s, low 30 s, 99 %. availability: ends by no fault of ours, 99.5 %. admission: finds room, 99.9 %.',
  variables: [{ name: 'class', label: 'Class', values: { metric: 'inference_queue_depth', label: 'class' } }],
  rows: [
    {
      title: 'Budgets',
      panels: [
        {
          title: 'Missed, last 6 hours',
          about: 'Share of jobs, items or submissions.',
          unit: 'percentunit',
          kind: 'stat',
          width: 24,
          queries: [{ expr: 'slo:errors:ratio_rate6h{class=~"$class|"}', legend: '{{slo}} {{class}}' }],
        },
        burnPanel('5m', 14.4),
        burnPanel('1h', 14.4),
        burnPanel('30m', 6),
        burnPanel('6h', 6),
      ],
    },
    {
      title: 'What is measured',
      panels: [
        {
          title: 'Queue wait, p99',
          about: 'From admission to claim.',
          unit: 's',
          queries: [
            { expr: quantile(0.99, 'inference_queue_wait_seconds', '{class=~"$class"}', 'class'), legend: '{{class}}' },
          ],
        },
        {
          title: 'Items ended',
          about: 'By outcome and reason.',
          unit: 'ops',
          isStacked: true,
          queries: [
            {
              expr: perSecond('inference_items_total', 'outcome, reason', '{class=~"$class"}'),
              legend: '{{outcome}} {{reason}}',
            },
          ],
        },
        {
          title: 'Submissions',
          about: 'Admitted, and refused by reason.',
          unit: 'ops',
          isStacked: true,
          queries: [
            { expr: 'sum(rate(inference_jobs_admitted_total[$__rate_interval]))', legend: 'admitted' },
            { expr: perSecond('inference_admission_refused_total', 'reason'), legend: '{{reason}}' },
          ],
        },
      ],
    },
  ],
};
