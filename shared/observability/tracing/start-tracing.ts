/**
 * Tracing of one process: from finished spans through a bounded queue to the exporter that the settings name. The only
 * door to the OpenTelemetry SDK, which is loaded only when spans go somewhere. Modes: off (nothing is recorded), on,
 * stopped (what comes late is dropped).
 */
import type { ReadableSpan, SpanExporter, SpanProcessor } from '@opentelemetry/sdk-trace-node';
import type { TracingSettings } from '../../config/tracing-settings.ts';
import type { Logger } from '../logger.ts';
import { Counter, type Registry } from '../metrics.ts';
import { headTraceparent } from '../trace-context.ts';
import { BoundedExporter } from './bounded-exporter.ts';
import { noTracing, type Span, type Tracing } from './span.ts';

/** Spans that wait for the collector: some 10 MB, and ten seconds of 100 recorded jobs a second. */
const queueMax = 8192;
/** Encoding a batch keeps the event loop for 4 ms. */
const otlpBatches = { spans: 256, pauseMs: 0 } as const;
/** What exporter-jaeger puts into one request: more would be several, one after the other, under one deadline. */
const thriftBatches = { spans: 100, pauseMs: 0 } as const;
/**
 * Nobody says that a datagram was lost, and a receiver's buffer holds 200 KB: at 512 spans in a burst a busy Jaeger lost
 * some. 64 spans are about 40 KB; 2,560 a second are two hundred recorded jobs.
 */
const udpBatches = { spans: 64, pauseMs: 25 } as const;
const batchDelayMs = 1000;
/** A collector in the same cluster answers in a few ms. */
const exportMsMax = 3000;
/** How long a process that ends waits for its last spans. */
const stopMsMax = 1000;

export interface TracingParts {
  readonly settings: TracingSettings;
  /** "api", "worker:cpu": the service is named after its first word. */
  readonly role: string;
  readonly registry: Registry;
  readonly logger: Logger;
}

export interface StartedTracing extends Tracing {
  /** Sends what is left, within a second; idempotent, never rejects. */
  stop(): Promise<void>;
}

export async function startTracing(parts: TracingParts): Promise<StartedTracing> {
  const { settings } = parts;
  if (settings.exporter === 'none') return { ...noTracing, stop: async () => {} };
  const createExporter = await loadExporter(settings);
  const { BatchSpanProcessor } = await import('@opentelemetry/sdk-trace-node');
  const { resourceFromAttributes } = await import('@opentelemetry/resources');
  const { toReadableSpan } = await import('./readable-span.ts');
  const tally = new SpanTally(parts);
  const batches = batchesFor(settings);
  const exporter = new BoundedExporter({
    create: createExporter,
    deadlineMs: exportMsMax,
    pauseMs: batches.pauseMs,
    onBatch: (spans, error) => tally.settle(spans, error),
  });
  const processor = new BatchSpanProcessor(exporter, {
    maxQueueSize: queueMax,
    maxExportBatchSize: batches.spans,
    scheduledDelayMillis: batchDelayMs,
    // Ours comes first.
    exportTimeoutMillis: 2 * exportMsMax,
  });
  const [kind = parts.role] = parts.role.split(':');
  const resource = resourceFromAttributes({
    'service.name': `${settings.serviceName}-${kind}`,
    'service.instance.id': `${parts.role}-${process.pid}`,
  });
  return new SpanQueue({
    ratio: settings.ratio,
    processor,
    exporter,
    tally,
    convert: (span) => toReadableSpan(span, resource),
  });
}

function batchesFor({ exporter, jaeger }: TracingSettings) {
  if (exporter === 'otlp') return otlpBatches;
  return jaeger.endpoint === undefined ? udpBatches : thriftBatches;
}

/** Their packages take 0.15 and 0.04 s to load: only the one that is used is. */
async function loadExporter(settings: TracingSettings): Promise<() => SpanExporter> {
  if (settings.exporter === 'jaeger') {
    const { createJaegerExporter } = await import('./jaeger-exporter.ts');
    return () => createJaegerExporter(settings.jaeger);
  }
  const { createOtlpExporter } = await import('./otlp-exporter.ts');
  return () => createOtlpExporter(settings.otlp, exportMsMax);
}

interface QueueParts {
  readonly ratio: number;
  readonly processor: SpanProcessor;
  readonly exporter: BoundedExporter;
  readonly convert: (span: Span) => ReadableSpan;
  readonly tally: SpanTally;
}

class SpanQueue implements StartedTracing {
  readonly isOn = true;
  readonly #parts: QueueParts;
  #stopped: Promise<void> | undefined;

  constructor(parts: QueueParts) {
    this.#parts = parts;
  }

  accept(header: string | undefined, beginsTrace: boolean): string {
    return headTraceparent(header, beginsTrace ? this.#parts.ratio : 0);
  }

  record(spans: readonly Span[]): void {
    const { processor, convert, tally } = this.#parts;
    if (!tally.admit(spans.length, this.#stopped !== undefined)) return;
    for (const span of spans) processor.onEnd(convert(span));
  }

  stop(): Promise<void> {
    this.#stopped ??= this.#stop();
    return this.#stopped;
  }

  async #stop(): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, stopMsMax);
    });
    // It rejects when the collector refuses, and hangs when the collector does.
    await Promise.race([this.#parts.processor.shutdown().catch(() => {}), late]);
    clearTimeout(timer);
    this.#parts.exporter.abandon();
  }
}

/** How many spans wait, what became of the others, and one line in the log when that changes. */
class SpanTally {
  readonly #spans: Counter<'result'>;
  readonly #logger: Logger;
  #waiting = 0;
  #isFailing = false;

  constructor({ registry, logger }: TracingParts) {
    this.#logger = logger;
    this.#spans = new Counter({
      name: 'inference_spans_total',
      help: 'Spans by what became of them: exported, failed (the collector did not take them), dropped (the queue was full).',
      labelNames: ['result'],
      registers: [registry],
    });
    for (const result of ['exported', 'failed', 'dropped']) this.#spans.inc({ result }, 0);
  }

  admit(count: number, isStopped: boolean): boolean {
    if (isStopped || this.#waiting + count > queueMax) {
      this.#spans.inc({ result: 'dropped' }, count);
      return false;
    }
    this.#waiting += count;
    return true;
  }

  settle(count: number, error: Error | undefined): void {
    this.#waiting -= count;
    this.#spans.inc({ result: error ? 'failed' : 'exported' }, count);
    if (error && !this.#isFailing)
      this.#logger.warn({ err: error }, 'spans can not be exported; they are dropped until the collector takes them');
    if (!error && this.#isFailing) this.#logger.info('spans are exported again');
    this.#isFailing = error !== undefined;
  }
}
