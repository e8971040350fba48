/** /docs: the OpenAPI document as a page to read, made here, so that it needs no script, no bundle and no other host. */
import type { ServedModel } from '../jobs/model-catalog.ts';
import type { OpenApiDocument } from './build-openapi.ts';
import { escapeHtml, htmlPage, prose } from './page.ts';

interface Schema {
  readonly $ref?: string;
  readonly type?: string | readonly string[];
  readonly format?: string;
  readonly enum?: readonly unknown[];
  readonly items?: Schema;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly description?: string;
  readonly anyOf?: readonly Schema[];
  readonly additionalProperties?: Schema | boolean;
}
interface Parameter {
  readonly name: string;
  readonly in: string;
  readonly description?: string;
  readonly required?: boolean;
}
interface Media {
  readonly schema?: Schema;
}
interface Operation {
  readonly operationId: string;
  readonly tags: readonly string[];
  readonly summary: string;
  readonly description?: string;
  readonly parameters?: readonly Parameter[];
  readonly requestBody?: { readonly content: Readonly<Record<string, Media>> };
  readonly responses: Readonly<
    Record<string, { readonly description: string; readonly content?: Readonly<Record<string, Media>> }>
  >;
  readonly 'x-codeSamples'?: readonly { readonly source: string }[];
}

export function docsPage(document: OpenApiDocument, models: readonly ServedModel[]): string {
  const operations = Object.entries(document.paths ?? {}).flatMap(([path, methods]) =>
    Object.entries(methods as Record<string, Operation>).map(([method, operation]) => ({ path, method, operation })),
  );
  const tags = (document.tags ?? []).map(({ name }) => name);
  const byTag = (tag: string) => operations.filter(({ operation }) => operation.tags.includes(tag));
  const schemas = (document.components?.schemas ?? {}) as Record<string, Schema>;
  const navigation = tags
    .map(
      (tag) =>
        `<h2>${tag}</h2><ul>${byTag(tag)
          .map(
            ({ method, operation }) =>
              `<li><a href="#${operation.operationId}">${verb(method)} ${escapeHtml(operation.summary)}</a></li>`,
          )
          .join('')}</ul>`,
    )
    .join('');
  const body = `<div class="layout"><nav><a class="brand" href="#top">Millrace</a>${navigation}<h2>Reference</h2><ul><li><a href="#tasks">Tasks</a></li><li><a href="#schemas">Schemas</a></li><li><a href="/problems">Problems</a></li><li><a href="/openapi.json">openapi.json</a></li></ul></nav>
<main id="top"><h1>Millrace API</h1>${prose(document.info.description ?? '')}${firstJob(operations.map(({ operation }) => operation))}
${tags.map((tag) => `<h2>${tag}</h2>${byTag(tag).map(operationCard).join('')}`).join('')}
<h2 id="tasks">Tasks</h2>${models.length > 0 ? models.map(taskCard).join('') : prose('The model repository is empty.')}
<h2 id="schemas">Schemas</h2>${Object.entries(schemas).map(schemaCard).join('')}</main></div>`;
  return htmlPage('Millrace API', body);
}

/** The three commands a newcomer needs. */
function firstJob(operations: readonly Operation[]): string {
  const submit = operations.find(({ operationId }) => operationId === 'post-v1-jobs')?.['x-codeSamples']?.[0]?.source;
  return submit ? `<h4>Your first job</h4><pre><code>${escapeHtml(submit)}</code></pre>` : '';
}

function operationCard({ path, method, operation }: { path: string; method: string; operation: Operation }): string {
  const sample = operation['x-codeSamples']?.[0]?.source;
  return `<section class="card" id="${operation.operationId}"><h3>${verb(method)} <span class="path">${escapeHtml(path)}</span></h3>
<p><strong>${escapeHtml(operation.summary)}</strong></p>${operation.description ? prose(operation.description) : ''}
${sample ? `<pre><code>${escapeHtml(sample)}</code></pre>` : ''}${parameterTable(operation.parameters ?? [])}${bodies(operation)}${answers(operation)}</section>`;
}

function parameterTable(parameters: readonly Parameter[]): string {
  if (parameters.length === 0) return '';
  const rows = parameters.map(
    ({ name, in: place, description = '', required }) =>
      `<tr><td><code>${escapeHtml(name)}</code></td><td class="soft">${place}${required ? ', required' : ''}</td><td>${prose(description)}</td></tr>`,
  );
  return `<h4>Parameters</h4><table>${rows.join('')}</table>`;
}

function bodies({ requestBody }: Operation): string {
  const parts = Object.entries(requestBody?.content ?? {}).map(
    ([type, { schema }]) => `<tr><td><code>${type}</code></td><td>${typeOf(schema)}</td></tr>`,
  );
  return parts.length > 0 ? `<h4>Body</h4><table>${parts.join('')}</table>` : '';
}

function answers({ responses }: Operation): string {
  const rows = Object.entries(responses).map(([status, { description, content }]) => {
    const schema = Object.values(content ?? {})[0]?.schema;
    const isProblem = Object.keys(content ?? {}).includes('application/problem+json');
    const text = prose(description).replace(
      /<code>([a-z0-9-]+)<\/code>(?=: )/g,
      '<a href="/problems/$1"><code>$1</code></a>',
    );
    const shown =
      isProblem && description.length > 400
        ? `<details><summary>${description.split('\n\n').length} problems</summary>${text}</details>`
        : text;
    return `<tr><td class="code"><code>${status}</code></td><td>${shown}</td><td>${isProblem ? '' : typeOf(schema)}</td></tr>`;
  });
  return `<h4>Answers</h4><table>${rows.join('')}</table>`;
}

function taskCard({ files, contract }: ServedModel): string {
  const { parameters, input, output } = contract.example;
  const example = JSON.stringify({ model: files.id, input, ...(parameters && { parameters }) }, null, 2);
  return `<section class="card"><h3>${escapeHtml(files.id)}</h3><p class="soft">${escapeHtml(contract.task)} &middot; ${contract.media}</p>${prose(files.description || contract.description)}
<h4>Request</h4><pre><code>${escapeHtml(example)}</code></pre><h4>Output</h4><pre><code>${escapeHtml(JSON.stringify(output, null, 2))}</code></pre></section>`;
}

function schemaCard([name, schema]: [string, Schema]): string {
  const rows = Object.entries(schema.properties ?? {}).map(([field, property]) => {
    const required = schema.required?.includes(field) ? '' : ' <span class="soft">optional</span>';
    return `<tr><td><code>${escapeHtml(field)}</code>${required}</td><td>${typeOf(property)}</td><td>${prose(property.description ?? '')}</td></tr>`;
  });
  return `<section class="card" id="schema-${name}"><h3>${name}</h3>${prose(schema.description ?? '')}<table>${rows.join('')}</table></section>`;
}

function typeOf(schema: Schema | undefined): string {
  if (!schema) return '';
  if (schema.$ref) {
    const name = escapeHtml(schema.$ref.split('/').at(-1) ?? '');
    return `<a href="#schema-${name}">${name}</a>`;
  }
  if (schema.enum) return schema.enum.map((value) => `<code>${escapeHtml(String(value))}</code>`).join(' ');
  if (schema.anyOf) return schema.anyOf.map(typeOf).join(' or ');
  if (schema.items) return `list of ${typeOf(schema.items)}`;
  const type = [schema.type ?? 'any'].flat().join(' or ');
  const fields = schema.properties
    ? `: ${Object.keys(schema.properties)
        .map((key) => `<code>${escapeHtml(key)}</code>`)
        .join(' ')}`
    : '';
  return `${type}${schema.format ? ` (${escapeHtml(schema.format)})` : ''}${fields}`;
}

function verb(method: string): string {
  return `<span class="verb ${method}">${method}</span>`;
}
