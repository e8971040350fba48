/**
 * The body of `POST /v1/jobs`, JSON or form, as checked fields and items. Owns the spooled files until they are adopted.
 */
import { rm } from 'node:fs/promises';
import type { BlobStore } from '../../shared/blobs/blob-store.ts';
import { itemsPerJobMax } from '../../shared/jobs/job.ts';
import type { AllowedHosts } from '../../shared/net/url-policy.ts';
import { Problem } from '../../shared/problems/problem.ts';
import type { Call } from '../http/call.ts';
import { parseJson } from '../http/parse-json.ts';
import { readBody } from '../http/read-body.ts';
import { readMultipart, type SpooledFile } from '../http/read-multipart.ts';
import { checkFields, formToFields, type JobFields } from './job-fields.ts';
import type { ModelCatalog, ServedModel } from './model-catalog.ts';
import { type TakenItem, takeFile, takeValue } from './take-items.ts';

/** JSON.parse of 16 MiB takes about 30 ms of the event loop; larger media come as forms, which stream. */
const jsonBytesMax = 16 * 2 ** 20;

export interface SubmissionParts {
  readonly blobs: BlobStore;
  readonly allowed: AllowedHosts;
  readonly catalog: ModelCatalog;
  readonly bodyBytesMax: number;
}

export interface Submission {
  readonly fields: JobFields;
  readonly model: ServedModel;
  readonly items: readonly TakenItem[];
  /** True when the output is to be a list. */
  readonly isList: boolean;
  /** Removes spooled files that were not adopted. */
  discard(): Promise<void>;
}

export async function readSubmission(call: Call, parts: SubmissionParts): Promise<Submission> {
  const { fields: raw, files } = await readFields(call, parts);
  const spooled = files.map((file) => file.path);
  const discard = async () => {
    if (spooled.length > 0) await Promise.all(spooled.map((path) => rm(path, { force: true })));
  };
  try {
    const fields = checkFields(raw);
    checkOneInput(fields, files);
    const model = parts.catalog.resolve(fields);
    const items: TakenItem[] = [];
    for (const [index, file] of files.entries()) {
      items.push(await takeFile(file, files.length > 1 ? `/file/${index}` : '/file', model));
    }
    if ('input' in fields) items.push(await takeValue(fields.input, '/input', model, parts.allowed));
    for (const [index, value] of (fields.inputs ?? []).entries()) {
      items.push(await takeValue(value, `/inputs/${index}`, model, parts.allowed));
    }
    return { fields, model, items, isList: fields.inputs !== undefined || files.length > 1, discard };
  } catch (error) {
    await discard();
    throw error;
  }
}

async function readFields(
  call: Call,
  { blobs, bodyBytesMax }: SubmissionParts,
): Promise<{ fields: unknown; files: readonly SpooledFile[] }> {
  const type = call.header('content-type');
  if (type === 'application/json' || isJson(type)) {
    return { fields: parseJson(await readBody(call, Math.min(jsonBytesMax, bodyBytesMax))), files: [] };
  }
  if (type !== undefined && /^multipart\/form-data\b/i.test(type)) {
    const limits = { bytesMax: bodyBytesMax, filesMax: itemsPerJobMax, spoolPath: () => blobs.spoolPath() };
    const form = await readMultipart(call, limits);
    try {
      return { fields: formToFields(form.fields), files: form.files };
    } catch (error) {
      await Promise.all(form.files.map((file) => rm(file.path, { force: true })));
      throw error;
    }
  }
  if (type === undefined && !hasBody(call)) throw new Problem('empty-body', 'The request has no body.');
  const got = type === undefined ? 'no Content-Type' : `Content-Type ${JSON.stringify(type.slice(0, 100))}`;
  throw new Problem(
    'unsupported-media-type',
    `The request has ${got}. Send application/json in UTF-8 (curl: -H 'Content-Type: application/json'), or multipart/form-data.`,
  );
}

function isJson(type: string | undefined): boolean {
  const [name, ...parameters] = (type ?? '').toLowerCase().split(';');
  if (name?.trim() !== 'application/json') return false;
  return parameters.every((parameter) => !/^\s*charset\s*=/.test(parameter) || /=\s*"?utf-?8"?\s*$/.test(parameter));
}

function hasBody(call: Call): boolean {
  const length = call.header('content-length');
  return call.header('transfer-encoding') !== undefined || (length !== undefined && length !== '0');
}

function checkOneInput(fields: JobFields, files: readonly SpooledFile[]): void {
  const ways = Number('input' in fields) + Number(fields.inputs !== undefined) + Number(files.length > 0);
  const detail = 'Send exactly one of `input`, `inputs` (a list) or `file` parts.';
  if (ways !== 1) throw new Problem('validation-failed', detail, { errors: [{ pointer: '/input', detail }] });
  if (fields.inputs?.length === 0) {
    const empty = '`inputs` is empty; a job holds 1 to 256 items.';
    throw new Problem('validation-failed', empty, { errors: [{ pointer: '/inputs', detail: empty }] });
  }
}
