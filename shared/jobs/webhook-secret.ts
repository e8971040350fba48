/** The secret that signs a tenant's webhooks when a job names none: minted on first use, the same from then on. */
import { randomBytes } from 'node:crypto';
import type { Redis } from 'ioredis';
import { keys } from './keys.ts';

/** `whsec_` and base64 of 32 bytes, as Standard Webhooks writes secrets. */
export async function readTenantSecret(redis: Redis, tenant: string): Promise<string> {
  const known = await redis.hget(keys.webhookSecrets, tenant);
  if (known) return known;
  await redis.hsetnx(keys.webhookSecrets, tenant, `whsec_${randomBytes(32).toString('base64')}`);
  return (await redis.hget(keys.webhookSecrets, tenant)) as string;
}
