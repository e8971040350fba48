/**
 * What a caller sent as `input`, `inputs` or files -> items: texts as they are, objects as their task's contract reads
 * them, media looked into, URLs checked but never fetched. Everything that can be known without decoding is refused here,
 * before 202.
 */
import { hash } from 'node:crypto';
import type { z } from 'zod';
import { countCharacters } from '../../models/preparation/count-characters.ts';
import { inspectMedia, type MediaLimits } from '../../models/preparation/inspect-media.ts';
import type { StoredInput } from '../../shared/jobs/job.ts';
import type { InputMark } from '../../shared/jobs/store/words.ts';
import { type AllowedHosts, checkUrl } from '../../shared/net/url-policy.ts';
import { Problem } from '../../shared/problems/problem.ts';
import { checkText } from '../http/parse-json.ts';
import { tooLarge } from '../http/read-body.ts';
import type { SpooledFile } from '../http/read-multipart.ts';
import { decodeBase64 } from './decode-base64.ts';
import { invalid } from './job-fields.ts';
import type { ServedModel } from './model-catalog.ts';

/**
 * An item on its way into the store. Of a file `content` is its path in the spool, or its bytes where it came as base64;
 * `print` is an item's kind and SHA-256 (hex), `length` its size in characters, seconds or pixels where that is known.
 */
export type TakenItem =
  | { readonly kind: 'stored'; readonly input: StoredInput; readonly print: string; readonly length: number | null }
  | {
      readonly kind: 'file';
      readonly content: string | Uint8Array;
      readonly bytes: number;
      readonly type: string;
      readonly print: string;
      readonly length: number | null;
    };

/** One item from JSON. `pointer` names it in problems. */
export async function takeValue(
  value: unknown,
  pointer: string,
  model: ServedModel,
  allowed: AllowedHosts,
): Promise<TakenItem> {
  const { contract } = model;
  if (contract.item) return takeObject(value, pointer, contract.item, contract.limits.itemBytesMax);
  if (contract.media === 'text') return takeText(value, pointer, contract.limits.itemBytesMax);
  const { data, url } = mediaFields(value, pointer, contract.task, contract.media);
  if (url !== undefined) {
    const checked = checkUrl(url, allowed, `${pointer}/url`);
    return stored({ kind: 'url', url: checked.href }, checked.href, null);
  }
  const content = decodeBase64(data ?? '', `${pointer}/data`);
  return await takeContent(content, { bytes: content.length, sha256: hash('sha256', content) }, pointer, model);
}

/** One uploaded file, already in the spool. */
export async function takeFile(file: SpooledFile, pointer: string, model: ServedModel): Promise<TakenItem> {
  return await takeContent(file.path, file, pointer, model);
}

async function takeContent(
  content: string | Uint8Array,
  { bytes, sha256 }: Omit<SpooledFile, 'path'>,
  pointer: string,
  { files, contract }: ServedModel,
): Promise<TakenItem> {
  if (contract.media === 'text') {
    const what = contract.item ? 'JSON' : 'text';
    throw fault(pointer, `${contract.task} takes ${what}: send it as \`input\`, not as a file.`);
  }
  if (bytes > contract.limits.itemBytesMax) throw tooLarge(contract.limits.itemBytesMax);
  const { type, length } = await withPointer(pointer, () =>
    inspectMedia(contract.media as 'audio' | 'image', content, tighter(contract.limits, files.limits)),
  );
  return { kind: 'file', content, bytes, type, length, print: `file ${sha256}` };
}

function takeText(value: unknown, pointer: string, bytesMax: number): TakenItem {
  const text = typeof value === 'string' ? value : textField(value, pointer);
  if (text === '') throw fault(pointer, 'The text is empty.');
  checkText(text, pointer);
  checkBytes('text', text, bytesMax, pointer);
  return stored({ kind: 'text', text }, text, text.length);
}

/** What the contract makes of it is stored: two ways to say the same are one item. */
function takeObject(value: unknown, pointer: string, schema: z.ZodType, bytesMax: number): TakenItem {
  const parsed = schema.safeParse(value);
  if (!parsed.success) throw invalid(parsed.error.issues, pointer);
  const json = JSON.stringify(parsed.data);
  checkBytes('item', json, bytesMax, pointer);
  return stored({ kind: 'json', value: parsed.data }, json, countCharacters(parsed.data));
}

function checkBytes(what: string, text: string, bytesMax: number, pointer: string): void {
  // A UTF-16 unit is at most 3 bytes of UTF-8: short texts need no counting.
  if (text.length * 3 <= bytesMax || Buffer.byteLength(text) <= bytesMax) return;
  const detail = `The ${what} has ${Buffer.byteLength(text)} bytes; ${bytesMax} are the most. Split it.`;
  throw new Problem('input-too-long', detail, { errors: [{ pointer, detail }] });
}

function textField(value: unknown, pointer: string): string {
  const entries = typeof value === 'object' && value !== null && !Array.isArray(value) ? Object.entries(value) : [];
  const [first] = entries;
  if (entries.length !== 1 || first?.[0] !== 'text' || typeof first[1] !== 'string') {
    throw fault(pointer, 'Must be a text, or {"text": "..."}.');
  }
  return first[1];
}

function mediaFields(value: unknown, pointer: string, task: string, media: string): { data?: string; url?: string } {
  const entries = typeof value === 'object' && value !== null && !Array.isArray(value) ? Object.entries(value) : [];
  const [first] = entries;
  if (entries.length !== 1 || (first?.[0] !== 'data' && first?.[0] !== 'url') || typeof first[1] !== 'string') {
    throw fault(
      pointer,
      `${task} takes ${media}: {"data": "<base64 or data URI>"}, {"url": "https://..."}, or a form with \`file\` parts.`,
    );
  }
  return { [first[0]]: first[1] };
}

/** The manifest may tighten the contract, never loosen it. */
function tighter(contract: MediaLimits, model: MediaLimits): MediaLimits {
  const limits: { imagePixelsMax?: number; audioSecondsMax?: number } = {};
  for (const name of ['imagePixelsMax', 'audioSecondsMax'] as const) {
    const bounds = [contract[name], model[name]].filter((bound) => bound !== undefined);
    if (bounds.length > 0) limits[name] = Math.min(...bounds);
  }
  return limits;
}

async function withPointer<T>(pointer: string, run: () => Promise<T>): Promise<T> {
  try {
    return await run();
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    throw new Problem(error.slug, error.detail, { errors: [{ pointer, detail: error.detail }], cause: error });
  }
}

function stored(input: StoredInput, content: string, length: number | null): TakenItem {
  return { kind: 'stored', input, length, print: `${input.kind} ${hash('sha256', content)}` };
}

/** What the record of predictions notes of an item. */
export function markOf(item: TakenItem): InputMark {
  const kind = item.kind === 'file' ? 'blob' : item.input.kind;
  return [kind, item.print.slice(item.print.indexOf(' ') + 1), item.length];
}

function fault(pointer: string, detail: string): Problem {
  return new Problem('validation-failed', `${pointer}: ${detail}`, { errors: [{ pointer, detail }] });
}
