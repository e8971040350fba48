/**
 * Every Redis key, built in one place. One hash tag, `{mr0}`, keeps every script within one cluster slot; the tenant is
 * part of every key that belongs to one, so that another tenant's id reads as absent.
 */
const prefix = 'mr:v1:{mr0}:';

export const keys = {
  /** hash: a job before its outcome */
  job: (tenant: string, id: string) => `${prefix}job:${tenant}:${id}`,
  /** hash: index -> result of each finished item of a job that is not finished */
  items: (tenant: string, id: string) => `${prefix}items:${tenant}:${id}`,
  /** string: a job after its outcome (JSON), until retention is over */
  finished: (tenant: string, id: string) => `${prefix}fin:${tenant}:${id}`,
  /** zset: ids by creation ms; outlives the outcome, so it is the tombstone too */
  index: (tenant: string) => `${prefix}jobs:${tenant}`,
  /** string: `<job id> <body hash>` */
  idempotency: (tenant: string, keyHash: string) => `${prefix}idem:${tenant}:${keyHash}`,
  /** set: tenants ever seen, so that the sweeper finds their indexes */
  tenants: `${prefix}tenants`,
  /** zset: `<tenant>/<id>` that must start by score (ms) */
  startBy: `${prefix}start-by`,
  /** hash: unfinished jobs, per `q:<queue>` and `t:<tenant>` */
  live: `${prefix}live`,
  /** zset: `<tenant>/<id>` whose blobs may be deleted from score (ms) on */
  blobs: `${prefix}blobs`,
  /** stream: job events that a webhook wants: tenant, id, seq */
  outbox: `${prefix}outbox`,
  /** stream: jobs that ended or were erased, for the log writer (`finish.lua`, `erase.lua`) */
  predictions: `${prefix}predictions`,
  /** string: JSON of where the log writer answers, while it lives */
  predictionLog: `${prefix}prediction-log`,
  /** zset: the newest 10,000 dead letters `<tenant>/<id>` by ms */
  dead: `${prefix}dead`,
  /** hash: `<worker>/<lane>` -> `<tenant>/<id>` list of the call under way; what is left names the suspects */
  calls: `${prefix}calls`,
  /** hash: worker -> room and versions of its consumer of this queue, which waits for jobs to be handed over (`handover.lua`) */
  idle: (queue: string) => `${prefix}idle:${queue}`,
  /** zset: JSON lists of jobs that were handed to a consumer and that it has not read */
  handover: (queue: string, worker: string) => `${prefix}handover:${queue}:${worker}`,
  /** string per worker: alive while it exists */
  workerAlive: (worker: string) => `${prefix}worker:${worker}`,
  /** hash: model -> JSON load state per worker (`<model>/<worker>`) */
  modelStates: `${prefix}models`,
  /** hash: model that operators unloaded -> JSON of when */
  unloadedModels: `${prefix}models-unloaded`,
  /** string: secret that signs event-stream tokens */
  streamSecret: `${prefix}secret:streams`,
  /** hash: tenant -> whsec_ default webhook secret */
  webhookSecrets: `${prefix}secret:webhooks`,
  /** hash: webhook attempts and events not delivered yet (`deliveries.ts`) */
  deliveries: (tenant: string, id: string) => `${prefix}deliveries:${tenant}:${id}`,
  /** zset: `<id>-<seq>` of the events that one URL has not taken yet, by ms; with `:took`, a mark that it took one */
  webhookBacklog: (tenant: string, urlHash: string) => `${prefix}hook-backlog:${tenant}:${urlHash}`,
  /** set per tenant: URLs that answered 410 */
  disabledHooks: (tenant: string) => `${prefix}hooks-off:${tenant}`,
  /** lease of a duty that only one process does at a time */
  lease: (duty: string) => `${prefix}lease:${duty}`,
  /** string: written every second to see how long a write takes */
  probe: `${prefix}probe`,
  /** channel of one API process */
  replies: (api: string) => `${prefix}replies:${api}`,
  /** channel to all workers: `cancel <tenant>/<id>`, `models` (look again), `models <id>` (and try to load this one now) */
  control: `${prefix}control`,
  /** BullMQ's own keys */
  queuePrefix: `${prefix}q`,
} as const;

/** BullMQ refuses `:` in queue names; one queue per model and class. */
export function queueName(model: string, jobClass: string): string {
  return `${model}.${jobClass}`;
}
