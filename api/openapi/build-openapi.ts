/** The OpenAPI 3.1 document, from the same schemas that check requests. Built once, when it is first asked for. */
import { OpenAPIRegistry, OpenApiGeneratorV31 } from '@asteasolutions/zod-to-openapi';
import { z } from 'zod';
import type { TaskContract } from '../../models/task.ts';
import { itemsPerJobMax } from '../../shared/jobs/job.ts';
import { problemCatalogue } from '../../shared/problems/catalogue.ts';
import { jobFieldsSchema } from '../jobs/job-fields.ts';
import type { ModelCatalog } from '../jobs/model-catalog.ts';
import type { PathDoc } from './path-doc.ts';
import { commonProblems, pathDocs, problemsByStatus } from './paths.ts';
import { problemSchema, webhookEventSchema } from './schemas.ts';

const requestSchema = jobFieldsSchema.meta({ id: 'JobRequest' });

export type OpenApiDocument = ReturnType<OpenApiGeneratorV31['generateDocument']>;

/** `origin` is where the document was asked for, so that its examples work as they stand. */
export function buildOpenApi(catalog: ModelCatalog, origin: string): OpenApiDocument {
  const registry = new OpenAPIRegistry();
  registry.registerComponent('securitySchemes', 'key', { type: 'http', scheme: 'bearer' });
  for (const doc of pathDocs) registry.registerPath(describePath(doc, catalog, origin));
  registry.registerWebhook({
    method: 'post',
    path: 'job',
    summary: 'A job reached a status that its webhook wants',
    description:
      'Signed as Standard Webhooks 1.0 says (`webhook-id`, `webhook-timestamp`, `webhook-signature`); verify it with any ' +
      '`standardwebhooks` library. Answer 2xx within 15 s. An output that would pass 20 kB is left out.',
    request: { body: { content: { 'application/json': { schema: webhookEventSchema } } } },
    responses: { 200: { description: 'Taken.' }, 410: { description: 'Never call this URL again.' } },
  });
  return new OpenApiGeneratorV31(registry.definitions).generateDocument({
    openapi: '3.1.0',
    info: {
      title: 'Millrace',
      version: '1',
      description:
        'Asynchronous batch inference. Submit a job, then poll it, wait for it, follow it or be called back. Every ' +
        'error is an RFC 9457 problem whose `type` is a page that explains it.',
      license: { name: 'Apache-2.0', url: 'https://www.apache.org/licenses/LICENSE-2.0' },
    },
    servers: [{ url: origin || '/' }],
    security: [{ key: [] }],
    tags: ['Jobs', 'Predictions', 'Webhooks', 'Models', 'Health'].map((name) => ({ name })),
  });
}

type PathConfig = Parameters<OpenAPIRegistry['registerPath']>[0];

function describePath(doc: PathDoc, catalog: ModelCatalog, origin: string): PathConfig {
  const isSubmit = doc.method === 'post' && doc.path === '/v1/jobs';
  const example = isSubmit
    ? submitExample(catalog, origin)
    : doc.example?.replaceAll('BASE', origin).replaceAll('MODEL', servedTasks(catalog)[0]?.model ?? '');
  return {
    method: doc.method,
    path: doc.path,
    operationId: operationId(doc),
    tags: [doc.tag],
    summary: doc.summary,
    ...(doc.description && { description: doc.description }),
    ...(doc.isOpen && { security: [] }),
    request: {
      ...(doc.parameters && { params: doc.parameters }),
      ...(doc.query && { query: doc.query }),
      ...(doc.headers && { headers: doc.headers }),
      ...(isSubmit && { body: submitBody(catalog) }),
      ...(doc.body && { body: { required: true, content: { 'application/json': { schema: doc.body } } } }),
    },
    responses: describeAnswers(doc),
    ...(example && { 'x-codeSamples': [{ lang: 'Shell', label: 'curl', source: example }] }),
  } as PathConfig;
}

function describeAnswers(doc: PathDoc): PathConfig['responses'] {
  const responses: PathConfig['responses'] = {};
  for (const [status, { description, schema, type }] of Object.entries(doc.answers)) {
    responses[status] = { description, ...(schema && { content: { [type ?? 'application/json']: { schema } } }) };
  }
  const slugs = doc.isOpen ? doc.problems : [...doc.problems, ...commonProblems];
  for (const [status, names] of problemsByStatus(slugs)) {
    if (responses[status]) continue;
    responses[status] = {
      description: names.map((slug) => `\`${slug}\`: ${problemCatalogue[slug].meaning}`).join('\n\n'),
      content: { 'application/problem+json': { schema: problemSchema } },
    };
  }
  return responses;
}

function submitBody(catalog: ModelCatalog) {
  const form = z.object({
    file: z
      .array(z.string().meta({ format: 'binary' }))
      .max(itemsPerJobMax)
      .describe('The media; several files make a list.'),
    model: z.string().optional(),
    task: z.string().optional(),
    parameters: z.string().optional().describe('JSON, like `webhook` and `metadata`.'),
    priority: z.string().optional(),
  });
  const examples = Object.fromEntries(
    servedTasks(catalog).map(({ contract, model }) => [
      contract.task,
      {
        summary: contract.title,
        value: {
          model,
          input: contract.example.input,
          ...(contract.example.parameters && { parameters: contract.example.parameters }),
        },
      },
    ]),
  );
  return {
    required: true,
    content: {
      'application/json': { schema: requestSchema, examples },
      'multipart/form-data': { schema: form },
    },
  };
}

/** Tasks that some model serves, each with that model; all contracts when the repository is empty. */
function servedTasks(catalog: ModelCatalog): { readonly contract: TaskContract; readonly model: string }[] {
  const served = [...catalog.contracts.values()].flatMap((contract) => {
    const models = catalog.models.filter(({ files }) => files.task === contract.task);
    const model = models.find(({ files }) => files.isDefault) ?? models[0];
    return model ? [{ contract, model: model.files.id }] : [];
  });
  if (served.length > 0) return served;
  return [...catalog.contracts.values()].map((contract) => ({ contract, model: 'your-model' }));
}

/** A text example runs as it stands; media need a file of the reader's. */
function submitExample(catalog: ModelCatalog, origin: string): string {
  const tasks = servedTasks(catalog);
  const text = tasks.find(({ contract }) => contract.media === 'text');
  if (text) {
    // A model's own sample shows what it is for; the task's example may be in no language that it knows.
    const samples = catalog.models.find(({ files }) => files.id === text.model)?.files.samples ?? [];
    const sample = samples.map(({ input }) => (typeof input === 'object' && 'value' in input ? input.value : input))[0];
    const body = JSON.stringify({ model: text.model, input: sample ?? text.contract.example.input });
    return `curl -H 'Content-Type: application/json' -H 'Prefer: wait=30' -d '${body.replaceAll("'", "'\\''")}' ${origin}/v1/jobs`;
  }
  return `curl -H 'Prefer: wait=30' -F model=${tasks[0]?.model} -F file=@your-file ${origin}/v1/jobs`;
}

function operationId({ method, path }: PathDoc): string {
  return `${method}-${path}`.replaceAll(/[^a-z0-9]+/gi, '-').replace(/-$/, '');
}
