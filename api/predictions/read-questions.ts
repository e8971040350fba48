/** Queries and bodies of the prediction routes -> questions to the log writer. Pure, but for the tenant of the call. */
import { z } from 'zod';
import { itemsPerJobMax } from '../../shared/jobs/job.ts';
import { isJobId } from '../../shared/jobs/job-id.ts';
import {
  type DriftQuestion,
  type ExportFormat,
  type ExportQuestion,
  exportChoices,
  exportFormats,
  type ListQuestion,
  type PredictionCursor,
  verdicts,
} from '../../shared/predictions/words.ts';
import type { Call } from '../http/call.ts';
import { badParameter, readQuery, readTime, readWhole, timeMsMax } from '../http/query.ts';

const listNames = ['task', 'model', 'label', 'min_score', 'max_score', 'from', 'to', 'q', 'cursor', 'limit'] as const;
export const limitDefault = 20;
export const limitMax = 100;
const wordsMax = 200;

export const feedbackSchema = z.strictObject({
  verdict: z.enum(verdicts).describe('Was the prediction right?'),
  item: z
    .int()
    .min(0)
    .max(itemsPerJobMax - 1)
    .optional()
    .describe('Which item of the job; needed when it has several.'),
  corrected_output: z
    .unknown()
    .optional()
    .describe("With `wrong`: the right output, in the shape of the task's; what only a model knows may be left out."),
  note: z.string().max(2000).optional().describe('For whoever reads the dataset.'),
});

export function readListQuestion(call: Call): ListQuestion {
  const given = readQuery(call, listNames);
  const place = given.cursor === undefined ? undefined : decodeCursor(given.cursor);
  if (place === null) throw badParameter('cursor', 'Not a cursor that this API made.');
  return {
    tenant: call.tenant,
    ...filters(given),
    ...(given.label !== undefined && { label: given.label }),
    ...(given.min_score !== undefined && { minScore: readScore('min_score', given.min_score) }),
    ...(given.max_score !== undefined && { maxScore: readScore('max_score', given.max_score) }),
    ...(given.q !== undefined && { q: readWords(given.q) }),
    ...(place && { cursor: place }),
    limit: given.limit === undefined ? limitDefault : readWhole('limit', given.limit, 1, limitMax),
  };
}

const exportNames = ['task', 'model', 'format', 'include', 'from', 'to'] as const;

export function readExportQuestion(call: Call, tasks: readonly string[], origin: string): ExportQuestion {
  const given = readQuery(call, exportNames);
  const { task, format = 'jsonl', include = 'corrected' } = given;
  if (task === undefined || !tasks.includes(task)) throw badParameter('task', `Must be one of ${tasks.join(', ')}.`);
  return {
    tenant: call.tenant,
    ...filters(given),
    task,
    format: oneOf('format', format, exportFormats),
    include: oneOf('include', include, exportChoices),
    origin,
  };
}

export const fileNames: Readonly<Record<ExportFormat, string>> = {
  jsonl: 'dataset.jsonl',
  csv: 'dataset.csv',
  parquet: 'dataset.parquet',
};

const driftNames = ['window', 'reference'] as const;
const windowDefault = '24h';
const referenceDefault = '7d';
const windowSecondsMax = 366 * 86_400;

export function readDriftQuestion(call: Call, model: string): DriftQuestion {
  const { window = windowDefault, reference = referenceDefault } = readQuery(call, driftNames);
  return {
    tenant: call.tenant,
    model,
    windowSeconds: readDuration('window', window),
    referenceSeconds: readDuration('reference', reference),
  };
}

export function encodeCursor({ finishedMs, job, item }: PredictionCursor): string {
  return Buffer.from(`${finishedMs} ${job} ${item}`).toString('base64url');
}

/** null for anything that was not made by `encodeCursor`. */
function decodeCursor(text: string): PredictionCursor | null {
  const match = /^(\d{1,15}) (job_[0-9a-f]{33}) (\d{1,3})$/.exec(Buffer.from(text, 'base64url').toString('latin1'));
  if (!match || !isJobId(match[2] as string)) return null;
  const cursor = { finishedMs: Number(match[1]), job: match[2] as string, item: Number(match[3]) };
  return encodeCursor(cursor) === text && cursor.finishedMs <= timeMsMax ? cursor : null;
}

interface Filters {
  readonly task?: string;
  readonly model?: string;
  readonly from?: string;
  readonly to?: string;
}

function filters({ task, model, from, to }: Filters) {
  return {
    ...(task !== undefined && { task }),
    ...(model !== undefined && { model }),
    ...(from !== undefined && { fromMs: readTime('from', from) }),
    ...(to !== undefined && { toMs: readTime('to', to) }),
  };
}

function readScore(name: string, text: string): number {
  const score = /^-?\d{1,9}(\.\d{1,12})?$/.test(text) ? Number(text) : Number.NaN;
  if (Number.isNaN(score)) throw badParameter(name, 'Must be a number, 0.8.');
  return score;
}

function readWords(text: string): string {
  if (text === '' || text.length > wordsMax || !text.isWellFormed()) {
    throw badParameter('q', `Must be 1 to ${wordsMax} characters.`);
  }
  return text;
}

function readDuration(name: string, text: string): number {
  const [, amount = '', unit = 's'] = /^(\d{1,9})(s|m|h|d)$/.exec(text) ?? [];
  const seconds =
    amount === '' ? 0 : Number(amount) * { s: 1, m: 60, h: 3600, d: 86_400 }[unit as 's' | 'm' | 'h' | 'd'];
  if (seconds < 1 || seconds > windowSecondsMax) throw badParameter(name, 'Must be 30m, 24h or 7d, at most 366d.');
  return seconds;
}

function oneOf<Choice extends string>(name: string, value: string, choices: readonly Choice[]): Choice {
  const found = choices.find((choice) => choice === value);
  if (found === undefined) throw badParameter(name, `Must be one of ${choices.join(', ')}.`);
  return found;
}
