/** All routes of the public port, most used first: Express tries them in this order. */
import type { ApiDependencies } from '../dependencies.ts';
import type { Route } from '../http/routing.ts';
import { sendEmpty } from '../http/send.ts';
import { Docs } from './docs.ts';
import { cancelJobRoute, eraseJobRoute } from './end-job.ts';
import { livez, readyz } from './health.ts';
import { listDeliveries } from './list-deliveries.ts';
import { listJobsRoute } from './list-jobs.ts';
import { listModels, readModel } from './list-models.ts';
import { exportDataset, giveFeedback, listPredictions, readDrift, readInput } from './predictions.ts';
import { listProblems, readProblem } from './problem-pages.ts';
import { readJob } from './read-job.ts';
import { enableUrl, listDisabled, redeliver } from './send-again.ts';
import { streamJob, tenantOfToken } from './stream-job.ts';
import { submitJob } from './submit-job.ts';
import { readWebhookSecret } from './webhook-secret.ts';

export function apiRoutes(parts: ApiDependencies): Route[] {
  const docs = new Docs(parts);
  return [
    {
      path: '/v1/jobs',
      methods: { POST: (call) => submitJob(parts, call), GET: (call) => listJobsRoute(parts, call) },
    },
    {
      path: '/v1/jobs/:id',
      methods: { GET: (call) => readJob(parts, call), DELETE: (call) => eraseJobRoute(parts, call) },
    },
    {
      path: '/v1/jobs/:id/events',
      admit: (call) => tenantOfToken(parts, call),
      methods: { GET: (call) => streamJob(parts, call) },
    },
    { path: '/v1/jobs/:id/cancel', methods: { POST: (call) => cancelJobRoute(parts, call) } },
    { path: '/v1/jobs/:id/deliveries', methods: { GET: (call) => listDeliveries(parts, call) } },
    { path: '/v1/jobs/:id/deliveries/:seq/redeliver', methods: { POST: (call) => redeliver(parts, call) } },
    { path: '/v1/models', methods: { GET: (call) => listModels(parts, call) } },
    { path: '/v1/models/:id/drift', methods: { GET: (call) => readDrift(parts, call) } },
    { path: '/v1/predictions', methods: { GET: (call) => listPredictions(parts, call) } },
    { path: '/v1/predictions/:id/:item/input', methods: { GET: (call) => readInput(parts, call) } },
    { path: '/v1/jobs/:id/feedback', methods: { POST: (call) => giveFeedback(parts, call) } },
    { path: '/v1/datasets/export', methods: { GET: (call) => exportDataset(parts, call) } },
    { path: '/v1/models/:id', methods: { GET: (call) => readModel(parts, call) } },
    { path: '/v1/webhooks/secret', methods: { GET: (call) => readWebhookSecret(parts, call) } },
    { path: '/v1/webhooks/disabled', methods: { GET: (call) => listDisabled(parts, call) } },
    { path: '/v1/webhooks/enable', methods: { POST: (call) => enableUrl(parts, call) } },
    // Who opens the address that `npm start` prints is a person with a browser.
    { path: '/', isOpen: true, methods: { GET: (call) => sendEmpty(call, 302, { Location: '/docs' }) } },
    { path: '/livez', isOpen: true, methods: { GET: livez } },
    { path: '/readyz', isOpen: true, methods: { GET: (call) => readyz(parts, call) } },
    { path: '/openapi.json', isOpen: true, methods: { GET: (call) => docs.openapi(call) } },
    { path: '/docs', isOpen: true, methods: { GET: (call) => docs.page(call) } },
    { path: '/problems', isOpen: true, methods: { GET: listProblems } },
    { path: '/problems/:slug', isOpen: true, methods: { GET: readProblem } },
  ];
}
