/**
 * Stands between the SDK's batch processor and an exporter of a vendor, and makes a collector harmless that is dead,
 * slow, silent or refusing: one batch at a time, each with a deadline. An exporter that passed it is thrown away with its
 * sockets (exporter-jaeger sets no deadline of its own: its requests to a silent collector piled up), and the next batch
 * gets a new one. Counts what became of every span.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { ReadableSpan, SpanExporter } from '@opentelemetry/sdk-trace-node';

type Done = Parameters<SpanExporter['export']>[1];

/** ExportResultCode of @opentelemetry/core, which is no dependency of ours. */
const succeeded = 0;
const failed = 1;

export interface BoundedExporterOptions {
  readonly create: () => SpanExporter;
  readonly deadlineMs: number;
  /** Between two batches. */
  readonly pauseMs: number;
  /** After each batch; `error` when it did not arrive. */
  readonly onBatch: (spans: number, error?: Error) => void;
}

export class BoundedExporter implements SpanExporter {
  readonly #options: BoundedExporterOptions;
  #exporter: SpanExporter | undefined;
  /** The batches under way, one after the other. Never rejects. The processor's queue bounds it. */
  #tail: Promise<void> = Promise.resolve();
  /** Ends the wait for the batch under way. */
  #giveUp: (reason: Error) => void = () => {};
  #isAbandoned = false;

  constructor(options: BoundedExporterOptions) {
    this.#options = options;
  }

  export(spans: ReadableSpan[], done: Done): void {
    this.#tail = this.#tail.then(async () => {
      const error = await this.#send(spans);
      this.#options.onBatch(spans.length, error);
      if (this.#options.pauseMs > 0 && !this.#isAbandoned)
        await sleep(this.#options.pauseMs, undefined, { ref: false });
      done(error ? { code: failed, error } : { code: succeeded });
    });
  }

  async forceFlush(): Promise<void> {
    await this.#tail;
  }

  /** Gives up what is under way and what still waits, sockets and all. */
  abandon(): void {
    this.#isAbandoned = true;
    this.#giveUp(stopped());
    this.#discard();
  }

  /** Waits for the batches under way; its caller has a deadline. */
  async shutdown(): Promise<void> {
    await this.#tail;
    this.#discard();
  }

  async #send(spans: ReadableSpan[]): Promise<Error | undefined> {
    if (this.#isAbandoned) return stopped();
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<Error>((resolve) => {
      this.#giveUp = resolve;
      const { deadlineMs } = this.#options;
      timer = setTimeout(() => resolve(new Error(`no answer within ${deadlineMs} ms`)), deadlineMs);
      timer.unref();
    });
    const error = await Promise.race([this.#exportNow(spans), late]);
    clearTimeout(timer);
    if (error) this.#discard();
    return error;
  }

  async #exportNow(spans: ReadableSpan[]): Promise<Error | undefined> {
    try {
      this.#exporter ??= this.#options.create();
      const exporter = this.#exporter;
      return await new Promise((resolve) => {
        exporter.export(spans, ({ code, error }) =>
          resolve(code === succeeded ? undefined : (error ?? new Error('the collector refused the spans'))),
        );
      });
    } catch (error) {
      return error instanceof Error ? error : new Error(String(error));
    }
  }

  /** Its shutdown closes the sockets, and rejects when nobody answers. */
  #discard(): void {
    const exporter = this.#exporter;
    this.#exporter = undefined;
    exporter?.shutdown().catch(() => {});
  }
}

function stopped(): Error {
  return new Error('the process stops');
}
