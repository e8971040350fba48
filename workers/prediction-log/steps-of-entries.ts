/**
 * Entries of the stream -> steps of the record. Fetches what an entry does not hold: a large output, media to be kept. An
 * entry that this release can not read is left for one that can.
 */
import type { TaskRecord } from '../../models/task.ts';
import type { JobRequest, StoredInput } from '../../shared/jobs/job.ts';
import type { JobStore } from '../../shared/jobs/store/job-store.ts';
import { type JobRecord, parseFinished } from '../../shared/jobs/store/record.ts';
import type { InputMark, InputPolicy, JobRef } from '../../shared/jobs/store/words.ts';
import type { Logger } from '../../shared/observability/logger.ts';
import { traceIdOf } from '../../shared/observability/trace-context.ts';
import type { KeptMedia } from './kept-media.ts';
import { eraseStep, type LogStep, rowsPerStepMax, rowsStep } from './log-step.ts';
import { type PredictionRow, toRows } from './prediction-row.ts';
import type { StreamEntry } from './read-stream.ts';

export interface StepParts {
  readonly store: JobStore;
  readonly media: KeptMedia;
  readonly records: ReadonlyMap<string, TaskRecord>;
  readonly policy: InputPolicy;
  readonly logger: Logger;
}

export interface StepsOfEntries {
  readonly steps: readonly LogStep[];
  /** Ids of the entries that the steps are of. */
  readonly handled: readonly string[];
  /** Jobs whose outcome or blobs were kept for this reading: their retention may begin when the steps are stored. */
  readonly awaited: readonly AwaitedJob[];
}

export interface AwaitedJob extends JobRef {
  readonly retentionSeconds: number;
}

interface ReadEntry {
  readonly rows: readonly PredictionRow[];
  readonly awaited?: AwaitedJob;
}

/** An output that lies elsewhere is up to a few hundred KB. */
const fetchedAtOnceMax = 16;

export async function stepsOf(entries: readonly StreamEntry[], parts: StepParts): Promise<StepsOfEntries> {
  const steps: LogStep[] = [];
  const handled: string[] = [];
  const awaited: AwaitedJob[] = [];
  let rows: PredictionRow[] = [];
  let atMs = 0;
  const flush = () => {
    if (rows.length > 0) steps.push(rowsStep(atMs, rows));
    rows = [];
  };
  for (let at = 0; at < entries.length; at += fetchedAtOnceMax) {
    const some = entries.slice(at, at + fetchedAtOnceMax);
    const read = await Promise.all(some.map((entry) => readEntry(entry, parts)));
    for (const [index, entry] of some.entries()) {
      const found = read[index] ?? 'later';
      if (found === 'later') continue;
      handled.push(entry.id);
      if (found === 'erased' || rows.length + found.rows.length > rowsPerStepMax) flush();
      if (found === 'erased') {
        steps.push(eraseStep(entry.atMs, entry.fields['t'] ?? '', entry.fields['i'] ?? ''));
        continue;
      }
      if (rows.length === 0) atMs = entry.atMs;
      rows.push(...found.rows);
      if (found.awaited) awaited.push(found.awaited);
    }
  }
  flush();
  return { steps, handled, awaited };
}

async function readEntry(entry: StreamEntry, parts: StepParts): Promise<ReadEntry | 'erased' | 'later'> {
  const { fields } = entry;
  if (fields['e'] !== undefined) return 'erased';
  const ref = { tenant: fields['t'] ?? '', id: fields['i'] ?? '' };
  let job: JobRecord;
  try {
    job = parseFinished(fields['d'] ?? '');
  } catch (error) {
    parts.logger.warn({ err: error, job: ref.id, entry: entry.id }, 'prediction log: entry left for another release');
    return 'later';
  }
  const isOmitted = isOmittedOutput(job.output);
  const whole = isOmitted ? { ...job, output: await fetchOutput(job.request, parts) } : job;
  const keepsInput = parts.policy === 'full';
  const inputs = keepsInput && fields['in'] ? (JSON.parse(fields['in']) as StoredInput[]) : [];
  const marks = parts.policy !== 'none' && fields['im'] ? (JSON.parse(fields['im']) as InputMark[]) : [];
  const media = await parts.media.keep(job.request, inputs, job.finishedMs ?? job.createdMs);
  const rows = toRows(whole, { keepsInput, marks, inputs, media }, parts.records);
  const isAwaited = isOmitted || media.size > 0;
  return { rows, ...(isAwaited && { awaited: { ...ref, retentionSeconds: job.request.retentionSeconds } }) };
}

function isOmittedOutput(output: unknown): boolean {
  return typeof output === 'object' && output !== null && '$omitted' in output;
}

/** null when it is gone: the job was erased, or its retention was over. The row says what else is known. */
async function fetchOutput(request: JobRequest, { store, logger }: StepParts): Promise<unknown> {
  try {
    const record = await store.read(request);
    return record === null || record === 'gone' ? null : record.output;
  } catch (error) {
    const trace = traceIdOf(request.traceparent);
    logger.warn({ err: error, job: request.id, trace }, 'prediction log: output can not be read back');
    return null;
  }
}
