/**
 * Turns a submission into an admitted job: blobs into its folder; then record, idempotency key and place in the queue in
 * one script, after which it is durable and gets its 202. Knows nothing of HTTP.
 */
import type { BlobStore } from '../../shared/blobs/blob-store.ts';
import { type JobRequest, recordVersion, type StoredInput, type WebhookWish } from '../../shared/jobs/job.ts';
import { mintJobId } from '../../shared/jobs/job-id.ts';
import type { JobStore } from '../../shared/jobs/store/job-store.ts';
import type { JobRecord } from '../../shared/jobs/store/record.ts';
import type { Admission, JobRef } from '../../shared/jobs/store/words.ts';
import { type AllowedHosts, checkUrl } from '../../shared/net/url-policy.ts';
import { Problem } from '../../shared/problems/problem.ts';
import { hashBody } from './idempotency.ts';
import { invalid, type JobFields } from './job-fields.ts';
import type { Submission } from './read-submission.ts';
import { retryAfterSeconds } from './retry-after.ts';
import { markOf } from './take-items.ts';

export interface SubmitLimits {
  readonly queueMax: number;
  readonly tenantMax: number;
  readonly retentionSeconds: number;
}

export interface SubmitWish {
  readonly tenant: string;
  readonly traceparent: string;
  readonly keyHash: string | undefined;
  /** Told of the job's events when the caller waits. */
  readonly replyChannel: string | undefined;
  readonly lingerMs: number;
  /** Called with the id before anybody can hear of the job. */
  readonly beforeAdmit?: (ref: JobRef) => void;
}

/** `record` is absent for a job that an idempotency key led to: read it. */
export type Submitted =
  | { readonly isNew: true; readonly ref: JobRef; readonly record: JobRecord }
  | { readonly isNew: false; readonly ref: JobRef };

export class JobSubmitter {
  readonly #store: JobStore;
  readonly #blobs: BlobStore;
  readonly #allowed: AllowedHosts;
  readonly #limits: SubmitLimits;

  constructor(parts: {
    store: JobStore;
    blobs: BlobStore;
    allowed: AllowedHosts;
    limits: SubmitLimits;
  }) {
    this.#store = parts.store;
    this.#blobs = parts.blobs;
    this.#allowed = parts.allowed;
    this.#limits = parts.limits;
  }

  /** Throws what the submission got wrong; quota-exceeded or overloaded when there is no room. */
  async submit(submission: Submission, wish: SubmitWish): Promise<Submitted> {
    const { fields, model, items, isList } = submission;
    const { tenant } = wish;
    const bodyHash =
      wish.keyHash &&
      hashBody(
        fields,
        isList,
        items.map((item) => item.print),
      );
    const request = this.#toRequest(submission, wish);
    const ref = { tenant, id: request.id };
    const input = await this.#adopt(ref, items);
    wish.beforeAdmit?.(ref);
    const admission = await this.#store.admit(request, {
      input,
      marks: items.map(markOf),
      ...(wish.keyHash && bodyHash && { idempotency: { keyHash: wish.keyHash, bodyHash } }),
      ...(fields.expires_in !== undefined && { expiresInSeconds: fields.expires_in }),
      ...(wish.replyChannel && { replyChannel: wish.replyChannel }),
      lingerMs: wish.lingerMs,
      queueMax: this.#limits.queueMax,
      tenantMax: this.#limits.tenantMax,
    });
    if (admission.verdict === 'accepted')
      return { isNew: true, ref, record: queuedRecord(request, admission.createdMs ?? Date.now()) };
    if (input.some((item) => item.kind === 'blob')) await this.#blobs.remove(ref);
    if (admission.verdict === 'existing') return { isNew: false, ref: { tenant, id: admission.id } };
    throw refusal(admission, model.files.id);
  }

  /** The job of an idempotency key, when there is one: nothing is admitted. Throws `idempotency-key-reused`. */
  async find(submission: Submission, tenant: string, keyHash: string): Promise<Submitted | null> {
    const { fields, items, isList } = submission;
    const bodyHash = hashBody(
      fields,
      isList,
      items.map((item) => item.print),
    );
    const found = await this.#store.findByKey(tenant, { keyHash, bodyHash });
    if (found && !found.sameBody) throw keyReused();
    return found && { isNew: false, ref: { tenant, id: found.id } };
  }

  #toRequest({ fields, model, items, isList }: Submission, wish: SubmitWish): JobRequest {
    const { contract, files } = model;
    const parameters = checkParameters(fields, contract.parameters);
    const webhook = fields.webhook && checkWebhook(fields.webhook, this.#allowed);
    return {
      v: recordVersion,
      id: mintJobId(),
      tenant: wish.tenant,
      task: files.task,
      model: files.id,
      ...(model.version !== undefined && { modelVersion: model.version }),
      priority: fields.priority ?? contract.defaultPriority,
      list: isList,
      items: items.length,
      ...(parameters && { parameters }),
      ...(fields.metadata && { metadata: fields.metadata }),
      ...(webhook && { webhook }),
      ...(fields.timeout !== undefined && { timeoutSeconds: fields.timeout }),
      retentionSeconds: fields.retention ?? this.#limits.retentionSeconds,
      traceparent: wish.traceparent,
    };
  }

  async #adopt(ref: JobRef, items: Submission['items']): Promise<StoredInput[]> {
    const inputs: StoredInput[] = [];
    try {
      for (const [index, item] of items.entries()) {
        if (item.kind === 'stored') inputs.push(item.input);
        else {
          const { content, bytes, type } = item;
          const blob =
            typeof content === 'string'
              ? await this.#blobs.adopt(ref, index, content)
              : await this.#blobs.store(ref, index, content);
          inputs.push({ kind: 'blob', blob, bytes, type });
        }
      }
      return inputs;
    } catch (error) {
      await this.#blobs.remove(ref);
      throw error;
    }
  }
}

function checkParameters(fields: JobFields, schema: Submission['model']['contract']['parameters']) {
  if (fields.parameters === undefined) return undefined;
  const parsed = schema.safeParse(fields.parameters);
  if (!parsed.success) throw invalid(parsed.error.issues, '/parameters');
  return parsed.data as Record<string, unknown>;
}

function checkWebhook(webhook: NonNullable<JobFields['webhook']>, allowed: AllowedHosts): WebhookWish {
  const { url, events, secret } = webhook;
  checkUrl(url, allowed, '/webhook/url');
  if (secret !== undefined && !isStrongSecret(secret)) {
    const detail = 'A secret is "whsec_" and base64 of 24 to 64 bytes.';
    throw new Problem('weak-webhook-secret', detail, { errors: [{ pointer: '/webhook/secret', detail }] });
  }
  return { url, events: [...new Set(events)], ...(secret !== undefined && { secret }) };
}

function isStrongSecret(secret: string): boolean {
  const encoded = /^whsec_([A-Za-z0-9+/]+={0,2})$/.exec(secret)?.[1];
  const bytes = encoded === undefined ? 0 : Buffer.from(encoded, 'base64').length;
  return bytes >= 24 && bytes <= 64;
}

/** What the store holds right after admission, without asking it. */
function queuedRecord(request: JobRequest, createdMs: number): JobRecord {
  return {
    request,
    status: 'queued',
    createdMs,
    startedMs: null,
    finishedMs: null,
    attempts: 0,
    modelVersion: null,
    events: [{ seq: 1, name: 'queued', atMs: createdMs }],
    counts: { total: request.items, succeeded: 0, failed: 0 },
    prepareSeconds: null,
    computeSeconds: null,
    batchRows: null,
    output: null,
    error: null,
    idempotencyKey: null,
  };
}

function keyReused(): Problem {
  return new Problem('idempotency-key-reused', 'This Idempotency-Key was used with another body. Use a new one.');
}

function refusal(admission: Admission, model: string): Problem {
  if (admission.verdict === 'conflict') return keyReused();
  const retry = { retryAfterSeconds: retryAfterSeconds(5) };
  if (admission.verdict === 'tenant-full') {
    return new Problem('quota-exceeded', 'This tenant has as many unfinished jobs as it may have.', retry);
  }
  return new Problem('overloaded', `The queue of ${model} is full; nothing was accepted.`, retry);
}
