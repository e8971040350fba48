/** GET /v1/models and /v1/models/{id}: what the repository holds, what can run now, and what is wrong with the rest. */
import { z } from 'zod';
import type { BrokenModel } from '../../models/repository/model-files.ts';
import { Problem } from '../../shared/problems/problem.ts';
import type { ApiDependencies } from '../dependencies.ts';
import type { Call } from '../http/call.ts';
import { readQuery } from '../http/query.ts';
import { sendJson } from '../http/send.ts';
import type { ServedModel } from '../jobs/model-catalog.ts';
import { readModelStates, readUnloaded, statusOf, type WorkerState } from '../jobs/model-states.ts';

export async function listModels(parts: ApiDependencies, call: Call): Promise<void> {
  readQuery(call, []);
  sendJson(call, 200, { object: 'list', data: await viewModels(parts) });
}

export async function readModel(parts: ApiDependencies, call: Call): Promise<void> {
  readQuery(call, []);
  const model = (await viewModels(parts)).find(({ id }) => id === call.parameters['id']);
  if (!model) throw new Problem('not-found', 'There is no model of this id; GET /v1/models lists them.');
  sendJson(call, 200, model);
}

async function viewModels({ redis, catalog }: ApiDependencies) {
  const [states, unloaded] = await Promise.all([readModelStates(redis), readUnloaded(redis)]);
  const { broken } = catalog.repository;
  const served = catalog.models.map((model) => {
    const { id } = model.files;
    // Its folder broke, and what was read before goes on serving.
    const fault = broken.find((other) => other.id === id)?.reason ?? null;
    const workers = states.get(id) ?? [];
    return viewServed(model, { versions: catalog.versionsOf(id), workers, fault, unloadedAt: unloaded.get(id) });
  });
  const ids = new Set(served.map(({ id }) => id));
  return [...served, ...broken.filter(({ id }) => !ids.has(id)).map(viewBroken)];
}

/** JSON Schemas by zod schema: made once, since a list of models is asked for often. */
const jsonSchemas = new WeakMap<z.ZodType, unknown>();

function toSchema(schema: z.ZodType): unknown {
  const known = jsonSchemas.get(schema) ?? z.toJSONSchema(schema, { io: 'input' });
  jsonSchemas.set(schema, known);
  return known;
}

interface Serving {
  readonly versions: readonly string[];
  readonly workers: readonly WorkerState[];
  readonly fault: string | null;
  readonly unloadedAt: string | undefined;
}

function viewServed(model: ServedModel, { versions, workers, fault, unloadedAt }: Serving) {
  const { files, contract } = model;
  return {
    id: files.id,
    object: 'model',
    task: files.task,
    version: files.version,
    /** Each can be named: `id@version`. */
    versions,
    default: files.isDefault,
    status: statusOf(workers, unloadedAt),
    unloaded_at: unloadedAt ?? null,
    error: workers.find(({ error }) => error !== null)?.error ?? fault,
    description: files.description || contract.description,
    licence: files.licence,
    ...(files.upstream
      ? { upstream: { kind: files.upstream.kind, model: files.upstream.model } }
      : { dtype: files.dtype }),
    input: contract.media,
    ...(contract.item && { input_schema: toSchema(contract.item) }),
    limits: {
      item_bytes_max: contract.limits.itemBytesMax,
      text_tokens_max: files.limits.textTokensMax ?? null,
      audio_seconds_max: files.limits.audioSecondsMax ?? contract.limits.audioSecondsMax ?? null,
      image_pixels_max: files.limits.imagePixelsMax ?? contract.limits.imagePixelsMax ?? null,
    },
    /** Defaults of this model, and what the task takes. */
    parameters: files.parameters,
    parameters_schema: toSchema(contract.parameters),
    workers,
  };
}

function viewBroken({ id, reason }: BrokenModel) {
  return {
    id,
    object: 'model',
    task: null,
    version: null,
    default: false,
    status: 'broken',
    error: reason,
    workers: [],
  };
}
