/** A whole system that records every trace into a real Jaeger, and how a test talks to both. */
import { mkdtempSync, readFileSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { assetsFolder, skipWithoutAssets } from '../../shared/testing/assets.ts';
import { waitUntil } from '../../shared/testing/wait-until.ts';
import { type RunningSystem, startSystem } from '../system/running-system.ts';
import { type JaegerTrace, type RunningJaeger, startJaeger } from './jaeger.ts';
import { drawTree, spansNamed } from './trace-tree.ts';

export const textModel = 'starter-ner-groceries';
export const speechModel = 'starter-asr-digits';
const sample = join(import.meta.dirname, '../../models/zoo/starter-asr-digits/samples/seven-two-nine.wav');
const unfinished = new Set(['queued', 'processing']);

export interface SeenJob {
  readonly id: string;
  readonly status: string;
  readonly trace_id: string;
}

export class TracedSystem {
  readonly jaeger: RunningJaeger;
  readonly system: RunningSystem;

  private constructor(jaeger: RunningJaeger, system: RunningSystem) {
    this.jaeger = jaeger;
    this.system = system;
  }

  /** `exporter` gives the variables that name Jaeger; all traces are recorded unless they say otherwise. */
  static async start(
    exporter: (jaeger: RunningJaeger) => Readonly<Record<string, string>>,
    models: readonly string[],
    options: {
      readonly env?: Readonly<Record<string, string>>;
      readonly tail?: { readonly decisionWait: string };
    } = {},
  ): Promise<TracedSystem> {
    const jaeger = await startJaeger(options.tail);
    try {
      const env = { OTEL_TRACES_SAMPLER_ARG: '1', ...options.env, ...exporter(jaeger) };
      return new TracedSystem(jaeger, await startSystem({ env, models }));
    } catch (error) {
      await jaeger.stop();
      throw error;
    }
  }

  async stop(): Promise<void> {
    await this.system.stop();
    await this.jaeger.stop();
  }

  async submit(
    body: Readonly<Record<string, unknown>>,
    headers: Readonly<Record<string, string>> = {},
  ): Promise<Response> {
    return await fetch(`${this.system.url}/v1/jobs`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body: JSON.stringify(body),
    });
  }

  /** The job once it has ended. */
  async run(body: Readonly<Record<string, unknown>>, headers: Readonly<Record<string, string>> = {}): Promise<SeenJob> {
    const response = await this.submit(body, { prefer: 'wait=30', ...headers });
    const job = (await response.json()) as SeenJob;
    return unfinished.has(job.status) ? await this.outcome(job.id) : job;
  }

  async outcome(id: string): Promise<SeenJob> {
    let job: SeenJob | undefined;
    await waitUntil(
      'the job has ended',
      async () => {
        job = await this.read(id);
        return !unfinished.has(job.status);
      },
      120_000,
    );
    return job as SeenJob;
  }

  async read(id: string): Promise<SeenJob> {
    return (await (await fetch(`${this.system.url}/v1/jobs/${id}`)).json()) as SeenJob;
  }

  /** The trace once it holds so many spans of these names. */
  async traceWith(id: string, wanted: Readonly<Record<string, number>>): Promise<JaegerTrace> {
    let trace: JaegerTrace | null = null;
    const has = ([name, count]: [string, number]) => trace !== null && spansNamed(trace, name).length >= count;
    try {
      await waitUntil('the spans are there', async () => {
        trace = await this.jaeger.trace(id);
        return Object.entries(wanted).every(has);
      });
    } catch (error) {
      const seen = trace ? drawTree(trace) : 'nothing';
      throw new Error(`Trace ${id} lacks one of ${JSON.stringify(wanted)}:\n${seen}`, { cause: error });
    }
    return trace as unknown as JaegerTrace;
  }
}

/** An image model and a photo beside the repository, when there are any. */
export const imageModel = 'mobilenet_v2_1.0_224';
const photo = 'images/imagenet-fish/n01440764_tench.JPEG';

export function skipWithoutImages(): string | false {
  return skipWithoutAssets(`models/imagenet/${imageModel}`) || skipWithoutAssets(photo);
}

/** A folder for MODELS_DIR that holds the image model alone. */
export function imageModels(): string {
  const folder = mkdtempSync(join(tmpdir(), 'millrace-models-'));
  symlinkSync(join(assetsFolder(), 'models/imagenet', imageModel), join(folder, imageModel));
  return folder;
}

export function image(): { data: string } {
  return { data: `data:image/jpeg;base64,${readFileSync(join(assetsFolder(), photo)).toString('base64')}` };
}

/** A spoken sample as an input of a job. */
export function speech(): { data: string } {
  return { data: `data:audio/wav;base64,${readFileSync(sample).toString('base64')}` };
}
