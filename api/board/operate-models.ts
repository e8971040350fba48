/**
 * What operators ask and change of models, as JSON for `millrace models`: what is loaded where, unload, load. What an
 * operator wishes is a field in Redis, which workers and API processes read every two seconds and half second; the message
 * only makes it sooner. Whoever was away acts on the field when it is back.
 */
import { nearestMatch } from '../../models/repository/nearest-match.ts';
import { jobClasses } from '../../shared/jobs/job.ts';
import { keys, queueName } from '../../shared/jobs/keys.ts';
import type { LoadedModel } from '../../shared/jobs/model-entry.ts';
import { Problem } from '../../shared/problems/problem.ts';
import type { Redis } from '../../shared/redis/connection.ts';
import { sendJson } from '../http/send.ts';
import { readModelStates, readUnloaded, statusOf } from '../jobs/model-states.ts';
import type { BoardParts, Visit } from './board-parts.ts';

/** A folder's name, as `scan-repository.ts` takes it. */
const modelId = /^[A-Za-z0-9._-]{1,96}$/;
/** Wishes are few; this many names are no operator's. */
const unloadedMax = 1000;

export async function listLoadedModels({ redis }: BoardParts, { call }: Visit): Promise<void> {
  sendJson(call, 200, { object: 'list', data: await readLoadedModels(redis) });
}

/** No consumer of it stays open, no lane keeps it, and no new job of it is taken, until it is loaded again. */
export async function unloadModel({ redis, logger }: BoardParts, { call }: Visit): Promise<void> {
  const id = idOf(call.parameters['id']);
  const known = (await readLoadedModels(redis)).map((model) => model.id);
  if (!known.includes(id)) {
    const nearest = nearestMatch(id, known);
    const hint = nearest === null ? '' : ` Did you mean "${nearest}"?`;
    throw new Problem('not-found', `No worker has a model "${id}".${hint}`);
  }
  if ((await redis.hlen(keys.unloadedModels)) >= unloadedMax)
    throw new Problem('overloaded', `${unloadedMax} models are unloaded; load some of them first.`);
  await redis.hset(keys.unloadedModels, id, new Date().toISOString());
  await redis.publish(keys.control, 'models');
  logger.info({ model: id }, 'operator unloaded a model');
  sendJson(call, 202, { id, wish: 'unloaded' });
}

/** Takes an unload back, looks into the folders now, and tries a load that failed without waiting for its turn. */
export async function loadModel({ redis, logger }: BoardParts, { call }: Visit): Promise<void> {
  const id = idOf(call.parameters['id']);
  await redis.hdel(keys.unloadedModels, id);
  await redis.publish(keys.control, `models ${id}`);
  logger.info({ model: id }, 'operator loaded a model');
  sendJson(call, 202, { id, wish: 'loaded' });
}

async function readLoadedModels(redis: Redis): Promise<LoadedModel[]> {
  const [states, unloaded, live] = await Promise.all([
    readModelStates(redis),
    readUnloaded(redis),
    redis.hgetall(keys.live),
  ]);
  const ids = [...new Set([...states.keys(), ...unloaded.keys()])].sort();
  return ids.map((id) => {
    const workers = states.get(id) ?? [];
    const unfinished = jobClasses.map((jobClass) => Number(live[`q:${queueName(id, jobClass)}`] ?? 0));
    return {
      id,
      status: statusOf(workers, unloaded.get(id)),
      error: workers.find(({ error }) => error !== null)?.error ?? null,
      unloaded_at: unloaded.get(id) ?? null,
      unfinished_jobs: unfinished.reduce((sum, count) => sum + count, 0),
      workers,
    };
  });
}

function idOf(id: string | undefined): string {
  if (id === undefined || !modelId.test(id)) throw new Problem('invalid-id', 'This is no id of a model.');
  return id;
}
