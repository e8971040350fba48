/** Standard Webhooks headers of one attempt: the id is the event's, the same on each; time and signature are new. */
import { Webhook } from 'standardwebhooks';

export interface SignedHeaders {
  readonly 'webhook-id': string;
  readonly 'webhook-timestamp': string;
  readonly 'webhook-signature': string;
}

export function eventId(jobId: string, seq: number): string {
  return `msg_${jobId}_${seq}`;
}

/** `secret` is `whsec_` and base64. Throws when it is not. */
export function signEvent(id: string, body: string, secret: string, nowMs: number): SignedHeaders {
  const at = new Date(nowMs);
  return {
    'webhook-id': id,
    'webhook-timestamp': `${Math.floor(nowMs / 1000)}`,
    'webhook-signature': new Webhook(secret).sign(id, at, body),
  };
}
