/**
 * Lets an EventSource in, which can send no headers: a token in `urls.events`, good for one job and one hour, signed
 * with a secret that all API processes share through Redis. Only used when keys are configured.
 */
import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import type { Redis } from 'ioredis';
import { keys } from '../../shared/jobs/keys.ts';
import type { JobRef } from '../../shared/jobs/store/words.ts';

const secondsMax = 3600;

export class StreamTokens {
  readonly #secret: string;

  constructor(secret: string) {
    this.#secret = secret;
  }

  /** With the secret that whichever process came first has made. */
  static async open(redis: Redis): Promise<StreamTokens> {
    await redis.set(keys.streamSecret, randomBytes(32).toString('base64url'), 'NX');
    const secret = await redis.get(keys.streamSecret);
    if (!secret) throw new Error('the secret of event streams can not be read from Redis');
    return new StreamTokens(secret);
  }

  /** `<tenant>.<expiry>.<signature>`; a tenant's name has no dot. */
  mint({ tenant, id }: JobRef, nowMs = Date.now()): string {
    const expiry = Math.floor(nowMs / 1000) + secondsMax;
    return `${tenant}.${expiry}.${this.#sign(tenant, id, expiry)}`;
  }

  /** The tenant that the token speaks for, or undefined when it is forged, of another job or too old. */
  verify(token: string, id: string, nowMs = Date.now()): string | undefined {
    const [tenant = '', expiry = '', signature = ''] = token.split('.');
    if (!/^\d{1,12}$/.test(expiry)) return undefined;
    const given = Buffer.from(signature);
    const expected = Buffer.from(this.#sign(tenant, id, Number(expiry)));
    const isOurs = given.length === expected.length && timingSafeEqual(given, expected);
    return isOurs && Number(expiry) * 1000 >= nowMs ? tenant : undefined;
  }

  #sign(tenant: string, id: string, expiry: number): string {
    return createHmac('sha256', this.#secret).update(`${tenant}\n${id}\n${expiry}`).digest('base64url');
  }
}
