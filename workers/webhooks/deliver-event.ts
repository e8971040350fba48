/**
 * One attempt at one event: sign, POST, and say what it showed. Knows neither queue nor schedule.
 * 2xx is success; a redirect is a failure (the receiver's new address must be told to us, not followed); 410 turns the
 * URL off for its tenant.
 */
import { keys } from '../../shared/jobs/keys.ts';
import { readTenantSecret } from '../../shared/jobs/webhook-secret.ts';
import { postJson } from '../../shared/net/guarded-fetch.ts';
import type { AllowedHosts } from '../../shared/net/url-policy.ts';
import { toProblem } from '../../shared/problems/problem.ts';
import type { Redis } from '../../shared/redis/connection.ts';
import type { EventRef, PinnedEvent } from './delivery-log.ts';
import { eventId, signEvent } from './sign-event.ts';

export interface Sender {
  readonly redis: Redis;
  readonly allowed: AllowedHosts;
  readonly timeoutMs: number;
}

export interface AttemptResult {
  /** `disabled`: the receiver said 410, now or before; nothing more is sent. */
  readonly verdict: 'delivered' | 'failed' | 'disabled';
  readonly statusCode: number | null;
  /** Slug of a problem, `http-<status>` or `disabled`. */
  readonly error: string | null;
  readonly ms: number;
  readonly throttled: boolean;
  readonly retryAfterSeconds: number | null;
}

const throttleStatuses = new Set([429, 502, 504]);
/** Per tenant; a tenant that makes up URLs must not fill Redis. */
const disabledUrlsMax = 10_000;

export async function deliverEvent(ref: EventRef, event: PinnedEvent, sender: Sender): Promise<AttemptResult> {
  const { redis } = sender;
  const disabled = keys.disabledHooks(ref.tenant);
  if ((await redis.sismember(disabled, event.url)) === 1) return result('disabled', 0, { error: 'disabled' });
  const secret = event.secret ?? (await readTenantSecret(redis, ref.tenant));
  const startedMs = performance.now();
  const elapsed = () => Math.round(performance.now() - startedMs);
  try {
    const { status, retryAfterSeconds } = await send(ref, event, secret, sender);
    const throttled = throttleStatuses.has(status);
    if (status >= 200 && status < 300) return result('delivered', elapsed(), { statusCode: status });
    if (status === 410) await disable(redis, disabled, event.url);
    const verdict = status === 410 ? 'disabled' : 'failed';
    return result(verdict, elapsed(), { statusCode: status, error: `http-${status}`, throttled, retryAfterSeconds });
  } catch (error) {
    return result('failed', elapsed(), { error: toProblem(error).slug });
  }
}

async function send(ref: EventRef, event: PinnedEvent, secret: string, sender: Sender) {
  const signed = signEvent(eventId(ref.id, ref.seq), event.body, secret, Date.now());
  return await postJson(event.url, event.body, {
    headers: { ...signed, ...(event.traceparent && { traceparent: event.traceparent }) },
    allowed: sender.allowed,
    timeoutMs: sender.timeoutMs,
  });
}

async function disable(redis: Redis, key: string, url: string): Promise<void> {
  if ((await redis.scard(key)) < disabledUrlsMax) await redis.sadd(key, url);
}

function result(verdict: AttemptResult['verdict'], ms: number, extra: Partial<AttemptResult>): AttemptResult {
  return { verdict, ms, statusCode: null, error: null, throttled: false, retryAfterSeconds: null, ...extra };
}
