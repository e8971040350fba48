/**
 * GET /v1/predictions, POST /v1/jobs/{id}/feedback and what belongs to them: the record of predictions, which outlives the
 * jobs. The log writer answers; here is what callers may ask.
 */
import { pipeline } from 'node:stream/promises';
import type { ItemQuestion, ListAnswer, Prediction } from '../../shared/predictions/words.ts';
import { Problem } from '../../shared/problems/problem.ts';
import type { ApiDependencies } from '../dependencies.ts';
import type { Call } from '../http/call.ts';
import { originOf } from '../http/origin.ts';
import { parseJson } from '../http/parse-json.ts';
import { jobOf } from '../http/path-id.ts';
import { badParameter, readQuery } from '../http/query.ts';
import { readBody } from '../http/read-body.ts';
import { sendJson } from '../http/send.ts';
import { invalid } from '../jobs/job-fields.ts';
import type { LogStream } from '../predictions/log-client.ts';
import {
  encodeCursor,
  feedbackSchema,
  fileNames,
  readDriftQuestion,
  readExportQuestion,
  readListQuestion,
} from '../predictions/read-questions.ts';

/** A corrected transcript of an hour is 60 KB. */
const feedbackBytesMax = 2 ** 20;

export async function listPredictions({ predictions }: ApiDependencies, call: Call): Promise<void> {
  const { data, next } = await predictions.ask<ListAnswer>('list', readListQuestion(call));
  sendJson(call, 200, {
    object: 'list',
    data,
    has_more: next !== null,
    next_cursor: next && encodeCursor(next),
  });
}

/** 201 with the prediction as it stands now. */
export async function giveFeedback({ predictions, records }: ApiDependencies, call: Call): Promise<void> {
  const { tenant, id: job } = jobOf(call);
  readQuery(call, []);
  const parsed = feedbackSchema.safeParse(parseJson(await readBody(call, feedbackBytesMax)));
  if (!parsed.success) throw invalid(parsed.error.issues, '', Object.keys(feedbackSchema.shape));
  const { verdict, item, corrected_output: corrected, note } = parsed.data;
  if (verdict === 'right' && corrected !== undefined) {
    throw fault('/corrected_output', 'A prediction that was right needs no corrected output.');
  }
  const question = { tenant, job, item: item ?? 0 };
  const { prediction, items } = await predictions.ask<{ prediction: Prediction; items: number }>('read', question);
  if (item === undefined && items > 1) throw fault('/item', `The job has ${items} items; say which, from 0.`);
  if (prediction.status !== 'succeeded')
    throw fault('/verdict', `The item has ${prediction.status}: there is no output.`);
  const judged = { ...question, verdict, ...(note !== undefined && { note }) };
  if (corrected === undefined) return sendJson(call, 201, await predictions.ask('feedback', judged));
  const record = records.get(prediction.task);
  const checked = record?.correction.safeParse(corrected);
  if (!checked) throw fault('/corrected_output', `Outputs of ${prediction.task} can not be corrected here.`);
  if (!checked.success) throw invalid(checked.error.issues, '/corrected_output');
  const { length } = prediction.input;
  const misfit = length === null ? null : record?.misfit?.(checked.data, length);
  if (misfit) throw fault('/corrected_output', misfit);
  sendJson(call, 201, await predictions.ask('feedback', { ...judged, corrected: checked.data }));
}

/** The media that the record keeps under the policy `full`. */
export async function readInput({ predictions }: ApiDependencies, call: Call): Promise<void> {
  const { tenant, id: job } = jobOf(call);
  readQuery(call, []);
  const item = Number(call.parameters['item']);
  if (!/^\d{1,3}$/.test(call.parameters['item'] ?? '')) throw new Problem('invalid-id', 'The item is not a number.');
  const question: ItemQuestion = { tenant, job, item };
  const gone = call.disconnectSignal();
  await sendStream(call, await predictions.stream('media', question, gone), 'input', gone);
}

export async function exportDataset(parts: ApiDependencies, call: Call): Promise<void> {
  const origin = originOf(call, parts.publicUrl);
  const question = readExportQuestion(call, [...parts.records.keys()], origin);
  const gone = call.disconnectSignal();
  const stream = await parts.predictions.stream('export', question, gone);
  await sendStream(call, stream, fileNames[question.format], gone);
}

export async function readDrift(parts: ApiDependencies, call: Call): Promise<void> {
  const id = call.parameters['id'] ?? '';
  if (id.length > 200 || id.includes('\0')) throw badParameter('id', 'No model has such an id.');
  sendJson(call, 200, await parts.predictions.ask('drift', readDriftQuestion(call, id)));
}

/** As an attachment: what strangers sent must never be shown as a page of ours. */
async function sendStream(
  call: Call,
  { body, type, bytes }: LogStream,
  fileName: string,
  gone: AbortSignal,
): Promise<void> {
  call.begin(200, {
    'Content-Type': type,
    'Content-Disposition': `attachment; filename="${fileName}"`,
    'Cache-Control': 'no-store',
    ...(bytes !== null && { 'Content-Length': String(bytes) }),
  });
  if (call.request.method === 'HEAD') {
    body.destroy();
    call.response.end();
    return;
  }
  try {
    await pipeline(body, call.response);
  } catch (error) {
    if (!gone.aborted) throw error; // A caller who hangs up is no fault.
  }
}

function fault(pointer: string, detail: string): Problem {
  return new Problem('validation-failed', `${pointer}: ${detail}`, { errors: [{ pointer, detail }] });
}
