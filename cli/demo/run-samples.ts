/**
 * Sends each model's samples through the running system and prints what comes back, as soon as the model is loaded:
 * the first result need not wait for the slowest model.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { rankByCosine } from '../../models/numeric/rank-by-cosine.ts';
import type { Nearest } from '../../models/repository/model-files.ts';
import type { Job } from '../../shared/jobs/job.ts';
import type { Serving } from '../commands/serve.ts';
import { ApiClient, type ListedModel } from './api-client.ts';
import { assetsFolder } from './demo-models.ts';
import { matchesExpectation } from './matches-expectation.ts';
import { renderInput, renderOutput, renderTimes } from './render-output.ts';
import { collectSamples, type DemoSample } from './samples.ts';

export interface DemoSummary {
  /** Every sample of every model was right, and there was at least one. */
  readonly isRight: boolean;
  /** One line for people. */
  readonly line: string;
  /** What was sent: the next steps suggest it again. */
  readonly sent: readonly { readonly model: ListedModel; readonly sample: DemoSample }[];
}

interface Verdict {
  readonly isRight: boolean;
  readonly lines: readonly string[];
}

const pollMs = 100;
/** A 90 MB model from a cold disk takes some 5 s; one that needs longer is reported, not waited for. */
const loadDeadlineMs = 90_000;

export async function runSamples(serving: Serving, startedMs: number): Promise<DemoSummary> {
  const { settings, system, signal, env } = serving;
  const client = new ApiClient(system.apiUrl, settings.apiKeys[0]?.key, signal);
  const samples = await collectSamples(settings.modelDirs, assetsFolder(env));
  const tally: Tally = { right: 0, wrong: 0, firstResultMs: undefined, sent: [] };
  const failures: unknown[] = [];
  const running: Promise<void>[] = [];
  for await (const model of modelsAsTheyLoad(client, signal)) {
    const run = showModel({ client, model, samples: samples.get(model.id) ?? [], serving, tally });
    running.push(run.catch((error) => void failures.push(error)));
  }
  await Promise.all(running);
  if (failures.length > 0) throw failures[0];
  const { right, wrong, firstResultMs, sent } = tally;
  const time =
    firstResultMs === undefined
      ? ''
      : `; first result ${((firstResultMs - startedMs) / 1000).toFixed(1)} s after the start`;
  return {
    isRight: wrong === 0 && right > 0,
    line: `demo: ${right} of ${right + wrong} samples right${time}`,
    sent,
  };
}

interface Tally {
  right: number;
  wrong: number;
  firstResultMs: number | undefined;
  readonly sent: { readonly model: ListedModel; readonly sample: DemoSample }[];
}

interface ModelShow {
  readonly client: ApiClient;
  readonly model: ListedModel;
  readonly samples: readonly DemoSample[];
  readonly serving: Serving;
  readonly tally: Tally;
}

/** One model's samples, one after another: the times shown are then those of a single caller. */
async function showModel({ client, model, samples, serving, tally }: ModelShow): Promise<void> {
  if (!isLoaded(model)) {
    tally.wrong += 1;
    print(serving, false, model, [`not loaded: ${model.error ?? model.status}`]);
  } else if (samples.length === 0) {
    print(serving, undefined, model, [serving.paint.dim('loaded; it brings no sample to show')]);
  } else {
    for (const sample of samples) {
      const { isRight, lines } = await runSample(client, model, sample, serving);
      tally.firstResultMs ??= performance.now();
      tally.sent.push({ model, sample });
      if (isRight) tally.right += 1;
      else tally.wrong += 1;
      print(serving, isRight, model, lines);
    }
  }
}

/** Yields each model once it is loaded or has failed; those that are neither after the deadline come last, as they are. */
async function* modelsAsTheyLoad(client: ApiClient, signal: AbortSignal): AsyncGenerator<ListedModel> {
  const seen = new Set<string>();
  const deadline = performance.now() + loadDeadlineMs;
  for (;;) {
    const models = await client.listModels();
    const isLate = performance.now() > deadline;
    for (const model of models) {
      if (seen.has(model.id) || !(isLate || isLoaded(model) || isFailed(model))) continue;
      seen.add(model.id);
      yield model;
    }
    if (isLate || models.every((model) => seen.has(model.id))) return;
    await sleep(pollMs, undefined, { signal });
  }
}

function isLoaded(model: ListedModel): boolean {
  return model.status === 'ready';
}

function isFailed(model: ListedModel): boolean {
  return ['failed', 'broken', 'quarantined'].includes(model.status);
}

async function runSample(
  client: ApiClient,
  model: ListedModel,
  sample: DemoSample,
  serving: Serving,
): Promise<Verdict> {
  const { paint } = serving;
  const head = `${paint.dim('in ')} ${renderInput(sample.input)}`;
  const job = await client.run(model.id, sample.input);
  if (job.status !== 'succeeded') {
    return {
      isRight: false,
      lines: [head, `${job.status}: ${job.error?.detail ?? job.error?.title ?? 'no reason given'}`],
    };
  }
  const verdict = sample.nearest
    ? await compareNeighbours({ client, model, job, nearest: sample.nearest, serving })
    : { isRight: matchesExpectation(job.output, sample.expect), lines: [] };
  const shown = renderOutput(job.output, sample.input, paint).map(
    (line, index) => `${paint.dim(index === 0 ? 'out' : '   ')} ${line}`,
  );
  const complaint = verdict.isRight || sample.nearest ? [] : [paint.red(`expected ${JSON.stringify(sample.expect)}`)];
  return {
    isRight: verdict.isRight,
    lines: [head, ...shown, ...verdict.lines, ...complaint, `    ${paint.dim(renderTimes(job.metrics))}`],
  };
}

interface Neighbours {
  readonly client: ApiClient;
  readonly model: ListedModel;
  readonly job: Job;
  readonly nearest: Nearest;
  readonly serving: Serving;
}

/** A second job, of several items, gives the vectors to compare with. */
async function compareNeighbours({ client, model, job, nearest, serving }: Neighbours): Promise<Verdict> {
  const others = await client.runTexts(model.id, nearest.among);
  if (others.status !== 'succeeded')
    return { isRight: false, lines: [`${others.status}: ${others.error?.detail ?? ''}`] };
  const vectors = (others.output as { output: number[] }[]).map((item) => item.output);
  const ranks = rankByCosine(job.output as number[], vectors);
  const lines = ranks.map(
    ({ index, cosine }) => `    ${serving.paint.cyan(cosine.toFixed(2).padStart(5))}  ${nearest.among[index] ?? ''}`,
  );
  return { isRight: nearest.among[ranks[0]?.index ?? -1] === nearest.expect, lines };
}

function print({ paint }: Serving, isRight: boolean | undefined, model: ListedModel, lines: readonly string[]): void {
  const mark = isRight === undefined ? paint.dim('-') : isRight ? paint.green('✔') : paint.red('✘');
  const body = lines.map((line) => `  ${line}`).join('\n');
  process.stdout.write(`\n${mark} ${paint.bold(model.id)} ${paint.dim(model.task)}\n${body}\n`);
}
