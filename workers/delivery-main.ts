/** Entry of webhook delivery: settings -> Redis -> outbox reader and delivery worker -> drain on SIGTERM. */
import { hostname } from 'node:os';
import { BlobStore } from '../shared/blobs/blob-store.ts';
import { JobStore } from '../shared/jobs/store/job-store.ts';
import { AllowedHosts } from '../shared/net/url-policy.ts';
import { boot, bootMetrics, bootTracing } from '../shared/processes/boot.ts';
import { connectConsumer } from '../shared/redis/connection.ts';
import { watchRedis } from '../shared/redis/redis-metrics.ts';
import { addDeliveryHealth } from './webhooks/delivery-health.ts';
import { defineDeliveryMetrics, defineDepthMetrics } from './webhooks/delivery-metrics.ts';
import { DeliveryWorker } from './webhooks/delivery-worker.ts';
import { OutboxReader } from './webhooks/read-outbox.ts';
import { openWebhookQueue } from './webhooks/webhook-queue.ts';

const role = 'delivery';
const booted = boot(role);
const { settings, redisUrl, logger, life } = booted;
const redis = connectConsumer(redisUrl, logger);
life.add('redis', () => redis.disconnect());
const registry = await bootMetrics(role, booted);
const redisWatch = watchRedis(registry, redis);
life.add('redis watch', () => redisWatch.stop());
const tracing = await bootTracing(role, booted, registry);
const metrics = defineDeliveryMetrics(registry);
const queue = openWebhookQueue(redis);
life.add('webhook queue', () => queue.close());
defineDepthMetrics(registry, redis, queue);

const worker = new DeliveryWorker({ redis, allowed: new AllowedHosts(settings.allowHosts), logger, metrics, tracing });
worker.start();
life.add('deliveries', () => worker.stop());

const consumer = `${hostname()}-${process.pid}-${Date.now().toString(36)}`;
const blobs = new BlobStore(settings.dataDir);
const store = new JobStore(redis, (name) => blobs.readText(name));
const reader = new OutboxReader({ redis, store, queue, logger, metrics, origin: settings.publicUrl, consumer });
reader.start();
life.add('outbox', () => reader.stop());
addDeliveryHealth(booted.health, { redis, worker, reader });
life.tell({ type: 'ready', role });
logger.info('delivering webhooks');
