/** POST /v1/jobs: 202 with the queued job, or 200 with the finished one when the caller waits and it ends in time. */
import { isOutcome } from '../../shared/jobs/job.ts';
import type { JobRecord } from '../../shared/jobs/store/record.ts';
import type { Attributes } from '../../shared/observability/tracing/span.ts';
import type { ApiDependencies } from '../dependencies.ts';
import type { Call } from '../http/call.ts';
import { isRedisTrouble } from '../http/error-handler.ts';
import { preferredWait } from '../http/prefer.ts';
import { sendJsonText } from '../http/send.ts';
import { overloaded, type RefusalReason } from '../jobs/admission.ts';
import { cancelJob, found } from '../jobs/end-job.ts';
import { hashKey } from '../jobs/idempotency.ts';
import { readSubmission, type Submission } from '../jobs/read-submission.ts';
import type { Submitted } from '../jobs/submit-job.ts';
import { OutcomeWait } from '../jobs/wait-for-outcome.ts';
import { RequestTrace } from '../tracing/request-trace.ts';

export async function submitJob(parts: ApiDependencies, call: Call): Promise<void> {
  const keyHash = hashKey(call.header('idempotency-key'));
  // Without a key nothing can be found again, so the body need not even be read.
  if (parts.gate.closedFor && keyHash === undefined) throw refuse(parts, parts.gate.closedFor);
  const submission = await RequestTrace.run(call.trace, 'read request', () => readSubmission(call, parts.submission));
  call.trace?.describe(describeSubmission(submission));
  try {
    await submit(parts, call, submission, keyHash);
  } finally {
    await submission.discard();
  }
}

async function submit(
  parts: ApiDependencies,
  call: Call,
  submission: Submission,
  keyHash: string | undefined,
): Promise<void> {
  const seconds = preferredWait(call.header('prefer'));
  let wait: OutcomeWait | undefined;
  try {
    const wish = {
      keyHash,
      isWaiting: seconds > 0,
      watch: (made: OutcomeWait) => {
        wait = made;
      },
    };
    const submitted = await RequestTrace.run(call.trace, 'admission', () => admit(parts, call, submission, wish));
    call.job = submitted.ref.id;
    if (!submitted.isNew) {
      wait?.stop();
      wait = new OutcomeWait(parts, submitted.ref);
    }
    const known = submitted.isNew
      ? submitted.record
      : found(await parts.store.read(submitted.ref, parts.watcher.channel));
    if (!submitted.isNew) call.trace?.link(known.request.traceparent);
    const dropsJob = submitted.isNew && wantsDrop(call, submission);
    const record = wait && seconds > 0 ? await waitFor(parts, call, { wait, seconds, known, dropsJob }) : known;
    answer(parts, call, submitted, record, seconds);
  } finally {
    wait?.stop();
  }
}

/** Admits the job, or finds the one that the key belongs to; throws when there is no room. */
async function admit(
  parts: ApiDependencies,
  call: Call,
  submission: Submission,
  wish: { keyHash: string | undefined; isWaiting: boolean; watch: (wait: OutcomeWait) => void },
): Promise<Submitted> {
  const { contract, files } = submission.model;
  const priority = submission.fields.priority ?? contract.defaultPriority;
  const reason = parts.gate.refusalFor(files.id, priority);
  const unavailable = parts.availability.refusalFor(files.id, submission.model.version);
  if (unavailable || (reason && reason !== 'queue-full')) {
    // What was accepted before is answered even now.
    const earlier =
      wish.keyHash && reason !== 'redis-away' && (await parts.submitter.find(submission, call.tenant, wish.keyHash));
    if (earlier) return earlier;
    if (reason && reason !== 'queue-full') throw refuse(parts, reason);
    parts.metrics.refused.inc({ reason: 'model-unavailable' });
    throw unavailable;
  }
  try {
    const submitted = await parts.submitter.submit(submission, {
      tenant: call.tenant,
      traceparent: call.traceparent,
      keyHash: wish.keyHash,
      replyChannel: wish.isWaiting ? parts.watcher.channel : undefined,
      lingerMs: parts.gate.lingerMsFor(files.id, priority),
      ...(wish.isWaiting && { beforeAdmit: (ref) => wish.watch(new OutcomeWait(parts, ref)) }),
    });
    if (submitted.isNew) parts.metrics.admitted.inc({ task: files.task, model: files.id, class: priority });
    return submitted;
  } catch (error) {
    countRefusal(parts, error);
    throw error;
  }
}

/** The record when the wait is over. A lost store does not undo the 202: what was known is answered then. */
async function waitFor(
  parts: ApiDependencies,
  call: Call,
  { wait, seconds, known, dropsJob }: { wait: OutcomeWait; seconds: number; known: JobRecord; dropsJob: boolean },
): Promise<JobRecord> {
  const gone = call.disconnectSignal();
  try {
    const record = await wait.run(seconds * 1000, gone, known);
    if (gone.aborted && dropsJob) await cancelJob(parts, { tenant: call.tenant, id: known.request.id });
    return record === null || record === 'gone' ? known : record;
  } catch (error) {
    if (isRedisTrouble(error) || gone.aborted) return known;
    throw error;
  }
}

function answer(parts: ApiDependencies, call: Call, submitted: Submitted, record: JobRecord, seconds: number): void {
  sendJsonText(call, isOutcome(record.status) ? 200 : 202, parts.views.render(call, record), {
    Location: parts.views.locate(call, record),
    ...(seconds > 0 && { 'Preference-Applied': `wait=${seconds}` }),
    ...(!submitted.isNew && { 'Idempotent-Replayed': 'true' }),
  });
}

function describeSubmission({ model, fields, items }: Submission): Attributes {
  return {
    'millrace.task': model.files.task,
    'millrace.model': model.files.id,
    'millrace.class': fields.priority ?? model.contract.defaultPriority,
    'millrace.items': items.length,
  };
}

function wantsDrop(call: Call, submission: Submission): boolean {
  const header = call.header('cancel-on-disconnect');
  return submission.fields.cancel_on_disconnect ?? (header === '1' || header === 'true');
}

function refuse(parts: ApiDependencies, reason: RefusalReason): Error {
  parts.metrics.refused.inc({ reason });
  return overloaded(reason);
}

function countRefusal(parts: ApiDependencies, error: unknown): void {
  const slug = (error as { slug?: string }).slug;
  if (slug === 'quota-exceeded') parts.metrics.refused.inc({ reason: 'tenant-full' });
  else if (slug === 'overloaded') parts.metrics.refused.inc({ reason: 'queue-full' });
  else if (isRedisTrouble(error)) parts.metrics.refused.inc({ reason: 'redis-away' });
}
