/**
 * What an operator can change, each through our own path, so that outcomes and events stay true: run a dead letter again,
 * send an event again, turn a URL on, take something off a list. Every action is logged.
 */
import { redeliverEvent } from '../../shared/jobs/redeliver.ts';
import type { JobRef } from '../../shared/jobs/store/words.ts';
import { traceIdOf } from '../../shared/observability/trace-context.ts';
import { Problem } from '../../shared/problems/problem.ts';
import { sendEmpty } from '../http/send.ts';
import type { BoardParts, Visit } from './board-parts.ts';
import { dismissDeadEvent, dismissDeadJob, enableHookByHash } from './dead-letters.ts';
import { jobRefOf, tenantOf } from './names.ts';
import { retryDeadJob } from './retry-job.ts';

type Form = ReadonlyMap<string, string>;
/** Returns where to go on. */
type Action = (parts: BoardParts, visit: Visit, form: Form) => Promise<string>;

/** What the page says after an action: a code travels in the URL, never a text. */
const outcomes: ReadonlyMap<string, string> = new Map([
  ['dismissed', 'Dismissed.'],
  ['absent', 'It was not on the list any more.'],
  ['queued', 'The event is queued again.'],
  ['under-way', 'Nothing was done: attempts at this event go on.'],
  ['gone', 'Nothing was done: the outcome of the job is no longer there.'],
  ['unknown', 'Nothing was done: the job has no such event for its webhook.'],
  ['disabled', 'Nothing was done: the URL answered 410 and is off. Turn it on first.'],
  ['enabled', 'The URL is on again.'],
]);

export function outcomeOf(code: string | null): string | undefined {
  return code === null ? undefined : outcomes.get(code);
}

const list = (code: string, section = '') => `/admin/dead-letters?done=${code}${section}`;

const actions: Readonly<Record<string, Action>> = {
  async retry(parts, { call }, form) {
    const ref = jobRefOf(form.get('tenant'), form.get('id'));
    const { tenant, id } = await retryDeadJob({ ...parts, traceparent: call.traceparent, trace: call.trace }, ref);
    call.job = id;
    parts.logger.info(
      { job: ref.id, again: id, trace: traceIdOf(call.traceparent) },
      'operator retried a job that was set aside',
    );
    return `/admin/jobs/${encodeURIComponent(tenant)}/${id}`;
  },
  async 'dismiss-job'(parts, _visit, form) {
    const ref = jobRefOf(form.get('tenant'), form.get('id'));
    const trace = await traceOf(parts, ref);
    const isDone = await dismissDeadJob(parts.redis, ref);
    parts.logger.info({ job: ref.id, trace, isDone }, 'operator dismissed a job that was set aside');
    return list(isDone ? 'dismissed' : 'absent');
  },
  async redeliver(parts, _visit, form) {
    const { redis, store, logger } = parts;
    const ref = jobRefOf(form.get('tenant'), form.get('id'));
    const seq = Number(form.get('seq'));
    const result = await redeliverEvent(redis, store, ref, seq);
    logger.info({ job: ref.id, trace: await traceOf(parts, ref), seq, result }, 'operator asked for an event again');
    return list(result, '#events');
  },
  async 'dismiss-event'({ boardQueues, logger }, _visit, form) {
    const queuedId = form.get('queued_id') ?? '';
    const isDone = await dismissDeadEvent(boardQueues.webhooks, queuedId);
    logger.info({ event: queuedId, isDone }, 'operator dismissed a webhook event');
    return list(isDone ? 'dismissed' : 'absent', '#events');
  },
  async 'enable-url'({ redis, logger }, _visit, form) {
    const [tenant, urlHash] = [tenantOf(form.get('tenant')), form.get('url_hash') ?? ''];
    const isDone = await enableHookByHash(redis, tenant, urlHash);
    logger.info({ tenant, urlHash, isDone }, 'operator turned a webhook URL on');
    return list(isDone ? 'enabled' : 'absent', '#urls');
  },
};

/** Of the job, for the log; undefined when nothing is left of it. */
async function traceOf({ store }: BoardParts, ref: JobRef): Promise<string | undefined> {
  const record = await store.readOutline(ref);
  return record === null || record === 'gone' ? undefined : traceIdOf(record.request.traceparent);
}

/** Does what the path names, then leads to where its effect shows. */
export async function act(parts: BoardParts, visit: Visit, form: Form): Promise<void> {
  const name = visit.call.parameters['action'] ?? '';
  const action = Object.hasOwn(actions, name) && actions[name];
  if (!action) throw new Problem('not-found', 'There is no such action.');
  sendEmpty(visit.call, 303, { Location: await action(parts, visit, form) });
}
