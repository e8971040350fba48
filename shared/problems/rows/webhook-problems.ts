/** What keeps a webhook from being set up or sent again. */
import { type ProblemRow, row } from './problem-row.ts';

export const webhookProblems = {
  'delivery-under-way': row(
    409,
    'Delivery under way',
    'Attempts at this event go on; it was not queued again.',
    'Wait; GET /v1/jobs/{id}/deliveries says when the next attempt is due.',
  ),
  'webhook-disabled': row(
    409,
    'Webhook disabled',
    'The URL answered 410 Gone, so nothing is sent there any more.',
    'Turn it on with POST /v1/webhooks/enable.',
  ),
  'weak-webhook-secret': row(
    422,
    'Weak webhook secret',
    'A secret is `whsec_` and base64 of 24 to 64 bytes.',
    'Generate 32 random bytes.',
  ),
} as const satisfies Record<string, ProblemRow>;
