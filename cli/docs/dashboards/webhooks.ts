/** Webhooks: attempts, what waits, and what was given up. */
import type { DashboardWish } from './dashboard.ts';
import { perSecond, quantile } from './queries.ts';

export const webhooks: DashboardWish = {
  name: 'webhooks',
  title: 'webhooks',
  about:
    'Deliveries by result. Which receiver it is, no metric says: monitoring/runbooks/WebhookDeliveriesFail.md does.',
  variables: [],
  rows: [
    {
      title: 'Deliveries',
      panels: [
        {
          title: 'Attempts by result',
          about: 'retry: failed, tried again later. dead: given up. refused: its URL owes too many.',
          unit: 'ops',
          isStacked: true,
          width: 12,
          queries: [{ expr: perSecond('inference_webhook_deliveries_total', 'result'), legend: '{{result}}' }],
        },
        {
          title: 'Length of an attempt',
          about: 'To the answer or failure; 15 s at most.',
          unit: 's',
          width: 12,
          queries: [
            { expr: quantile(0.5, 'inference_webhook_attempt_seconds'), legend: 'p50' },
            { expr: quantile(0.99, 'inference_webhook_attempt_seconds'), legend: 'p99' },
          ],
        },
        {
          title: 'Events by state',
          about: 'delayed ones wait for their next attempt, failed ones are dead letters.',
          unit: 'short',
          links: [{ title: 'Events given up', url: '$board/dead-letters#events' }],
          queries: [{ expr: 'max by (state) (inference_webhook_queue_jobs)', legend: '{{state}}' }],
        },
        {
          title: 'Outbox',
          about: 'Age of the oldest event that is not queued yet.',
          unit: 's',
          badFrom: 30,
          queries: [{ expr: 'max(inference_webhook_outbox_lag_seconds)', legend: 'lag' }],
        },
        {
          title: 'Endpoints turned off',
          about: 'They answered 410.',
          unit: 'none',
          links: [{ title: 'Which', url: '$board/dead-letters#urls' }],
          queries: [{ expr: 'max(inference_webhook_endpoints_disabled)', legend: 'URLs' }],
        },
      ],
    },
  ],
};
