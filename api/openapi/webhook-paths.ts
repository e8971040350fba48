/** The paths about webhooks, as the OpenAPI document tells them. */
import { z } from 'zod';
import { enableSchema } from '../jobs/job-fields.ts';
import { jobId, type PathDoc, reading } from './path-doc.ts';
import {
  deliveriesSchema,
  disabledWebhooksSchema,
  enabledWebhookSchema,
  redeliverySchema,
  webhookSecretSchema,
} from './schemas.ts';

export const webhookPaths: readonly PathDoc[] = [
  {
    method: 'get',
    path: '/v1/jobs/{id}/deliveries',
    tag: 'Webhooks',
    summary: 'List webhook attempts of a job',
    parameters: jobId,
    answers: { 200: { description: 'Every attempt.', schema: deliveriesSchema } },
    problems: [...reading, 'invalid-parameter'],
    example: 'curl BASE/v1/jobs/$JOB/deliveries',
  },
  {
    method: 'post',
    path: '/v1/jobs/{id}/deliveries/{seq}/redeliver',
    tag: 'Webhooks',
    summary: 'Send a webhook event again',
    description:
      'Queues the event once more, given up or delivered, under the same `webhook-id`; its attempts count on. `seq` is as ' +
      'in the list of attempts.',
    parameters: jobId.extend({
      seq: z.string().meta({ description: "The event's number within the job.", example: '3' }),
    }),
    answers: { 202: { description: 'It is queued.', schema: redeliverySchema } },
    problems: [...reading, 'invalid-parameter', 'delivery-under-way', 'webhook-disabled'],
  },
  {
    method: 'get',
    path: '/v1/webhooks/secret',
    tag: 'Webhooks',
    summary: 'Read the webhook secret',
    description: 'Signs webhooks of jobs that name no secret of their own. Made when it is first needed.',
    answers: { 200: { description: 'The secret.', schema: webhookSecretSchema } },
    problems: ['invalid-parameter'],
    example: 'curl BASE/v1/webhooks/secret',
  },
  {
    method: 'get',
    path: '/v1/webhooks/disabled',
    tag: 'Webhooks',
    summary: 'List URLs that are off',
    description: 'They answered 410 Gone to an event; nothing is sent there any more.',
    answers: { 200: { description: 'All of them, 10,000 at most.', schema: disabledWebhooksSchema } },
    problems: ['invalid-parameter'],
    example: 'curl BASE/v1/webhooks/disabled',
  },
  {
    method: 'post',
    path: '/v1/webhooks/enable',
    tag: 'Webhooks',
    summary: 'Turn a URL on again',
    description: 'What the URL missed is not sent by itself.',
    body: enableSchema,
    answers: { 200: { description: 'It is on.', schema: enabledWebhookSchema } },
    problems: ['invalid-parameter', 'validation-failed', 'malformed-json', 'empty-body', 'payload-too-large'],
    example: `curl -d '{"url":"https://hooks.example/jobs"}' -H 'Content-Type: application/json' BASE/v1/webhooks/enable`,
  },
];
