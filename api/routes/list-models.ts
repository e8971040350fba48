/** GET /v1/models and /v1/models/{id}: what the repository holds, what can run now, and what is wrong with the rest. */
import { z } from 'zod';
import type { BrokenModel } from '../../models/repository/model-files.ts';
import { Problem } from '../../shared/problems/problem.ts';
import type { ApiDependencies } from '../dependencies.ts';
import type { Call } from '../http/call.ts';
import { readQuery } from '../http/query.ts';
import { sendJson } from '../http/send.ts';
import type { ServedModel } from '../jobs/model-catalog.ts';
import { readModelStates, statusOf, type WorkerState } from '../jobs/model-states.ts';

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
  const states = await readModelStates(redis);
  return [
    ...catalog.models.map((model) => viewServed(model, states.get(model.files.id) ?? [])),
    ...catalog.repository.broken.map(viewBroken),
  ];
}

/** JSON Schemas by zod schema: made once, since a list of models is asked for often. */
const jsonSchemas = new WeakMap<z.ZodType, unknown>();

function toSchema(schema: z.ZodType): unknown {
  const known = jsonSchemas.get(schema) ?? z.toJSONSchema(schema, { io: 'input' });
  jsonSchemas.set(schema, known);
  return known;
}

function viewServed(model: ServedModel, workers: readonly WorkerState[]) {
  const { files, contract } = model;
  return {
    id: files.id,
    object: 'model',
    task: files.task,
    version: files.version,
    default: files.isDefault,
    status: statusOf(workers),
    error: workers.find(({ error }) => error !== null)?.error ?? null,
    description: files.description || contract.description,
    licence: files.licence,
    dtype: files.dtype,
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
