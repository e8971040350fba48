/**
 * Sends every case of one model to a running system at once, so that they share batches, and holds the answers against
 * the reference.
 */
import { readFileSync } from 'node:fs';
import { type Expected, logitsTolerance, mediaPath, type ParityCase } from '../../models/parity/expected.ts';
import { judgeOutput } from '../../models/parity/judge-output.ts';
import { type KnownDifference, settleKnown } from '../../models/parity/known-differences.ts';

export interface Parity {
  readonly model: string;
  readonly task: string;
  readonly cases: number;
  /** Greatest difference of a number over HTTP. */
  readonly error: number;
  readonly faults: readonly string[];
  /** Differences that are listed with their reasons. */
  readonly known: number;
}

interface JobBody {
  readonly status: string;
  readonly output?: unknown;
  readonly urls: { readonly self: string };
}

/** A model of true shape needs seconds for a call of a loaded machine. */
const deadlineMs = 300_000;

export async function askModel(
  url: string,
  model: string,
  { task, cases }: Expected,
  listed: readonly KnownDifference[] = [],
): Promise<Parity> {
  const judged = await Promise.all(
    cases.map(async (expected) => {
      const judgement = judgeOutput(task, expected, await ask(url, model, expected));
      const isOff = !(judgement.error <= logitsTolerance);
      const faults = [...judgement.faults, ...(isOff ? [`numbers off by ${judgement.error}`] : [])];
      return { expected, error: judgement.error, faults };
    }),
  );
  return {
    model,
    task,
    cases: cases.length,
    error: Math.max(...judged.map(({ error }) => error)),
    ...settleKnown(model, judged, listed),
  };
}

async function ask(url: string, model: string, { input, parameters }: ParityCase): Promise<unknown> {
  const signal = AbortSignal.timeout(deadlineMs);
  const path = mediaPath(input);
  const body = { model, parameters, input: path ? { data: readFileSync(path).toString('base64') } : input };
  let response = await fetch(`${url}/v1/jobs`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', prefer: 'wait=60' },
    body: JSON.stringify(body),
    signal,
  });
  let job = (await response.json()) as JobBody;
  while (job.status === 'queued' || job.status === 'processing') {
    response = await fetch(job.urls.self, { headers: { prefer: 'wait=60' }, signal });
    job = (await response.json()) as JobBody;
  }
  if (job.status !== 'succeeded') throw new Error(`${model}: ${JSON.stringify(job).slice(0, 500)}`);
  return job.output;
}
