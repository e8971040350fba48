/**
 * What an answer other than 200 means: whose fault it is, and so whether asking again can help. Pure; the status decides,
 * the error's code only where one status serves for two faults.
 */
import { Problem } from '../../shared/problems/problem.ts';

/**
 * `item`: this item can not be answered; others can. `busy`: the server asks for patience. `away`: it, or what stands
 * behind it, does not run. `faulty`: it broke on this question, perhaps by it. `denied`: nothing will be answered until an
 * operator mends key, name or URL.
 */
export type Refusal =
  | { readonly kind: 'item'; readonly problem: Problem }
  | { readonly kind: 'busy' | 'away' | 'faulty' | 'denied'; readonly reason: string };

interface ErrorWords {
  readonly message: string;
  /** The innermost first: `ResponsibleAIPolicyViolation` says more than `content_filter`, and that more than a type. */
  readonly codes: readonly string[];
}

const itemStatuses = new Set([400, 413, 415, 422, 451]);
const busyStatuses = new Set([429, 503]);
/** A gateway's words for "nobody behind me". */
const awayStatuses = new Set([502, 504]);
const faultyStatuses = new Set([408, 409, 425, 500]);

const unknownModelCodes = new Set(['model_not_found', 'invalid_model', 'unknown_model']);
/** LiteLLM's, vLLM's and transformers' words, where a 400 or 422 has no such code. */
const unknownModel = /invalid model|no such model|pinned to '|\bmodel\b.{0,300}(not found|does not exist)/i;
/** OpenAI's and Azure's. */
const filterCodes = new Set(['content_filter', 'content_policy_violation', 'ResponsibleAIPolicyViolation']);
/** Servers say it in words: `maximum context length`, `exceed_context_size_error`, `encoder cache size`. */
const tooLong = /context (length|window|size)|context_(length|size)|too many tokens|encoder cache size|max_model_len/i;
const tooLarge = /image.{0,40}(too (large|big)|exceeds|size)|(payload|request|body).{0,20}too large/i;

export function readRefusal(status: number, body: string): Refusal {
  const words = readWords(body);
  if (busyStatuses.has(status)) return { kind: 'busy', reason: `it answers ${status}` };
  if (awayStatuses.has(status)) return { kind: 'away', reason: `it answers ${status}` };
  if (itemStatuses.has(status) && !namesNoModel(words)) return { kind: 'item', problem: blameItem(status, words) };
  if (faultyStatuses.has(status) || status > 504) return { kind: 'faulty', reason: `it answers ${status}` };
  return { kind: 'denied', reason: denial(status) };
}

function blameItem(status: number, { codes, message }: ErrorWords): Problem {
  if (codes.some((code) => filterCodes.has(code)) || /content.?(filter|policy|management policy)/i.test(message))
    return new Problem('content-refused', 'The content filter of the server that runs the model refused this item.');
  if (tooLong.test(`${codes.join(' ')} ${message}`))
    return new Problem('input-too-long', `Picture and prompt have more tokens than the model takes${quote(message)}`);
  if (status === 413 || tooLarge.test(message))
    return new Problem(
      'image-too-large',
      `The picture is larger than the server that runs the model takes${quote(message)}`,
    );
  return new Problem('inference-failed', `The server that runs the model answered ${status}${quote(message)}`);
}

function namesNoModel({ codes, message }: ErrorWords): boolean {
  return codes.some((code) => unknownModelCodes.has(code)) || unknownModel.test(message);
}

function denial(status: number): string {
  if (status === 401 || status === 403) return `it answers ${status}: the key is missing or wrong (api_key_env)`;
  if (status === 404 || itemStatuses.has(status)) return `it answers ${status}: it has no such model, or no such URL`;
  if (status >= 300 && status < 400) return `it answers ${status}, and redirects are not followed: name the final URL`;
  return `it answers ${status}`;
}

/** `{"error": {message, code}}`; vLLM before 0.10 had the words at the top, FastAPI's own are `{"detail"}`. */
function readWords(body: string): ErrorWords {
  let parsed: unknown;
  try {
    parsed = JSON.parse(body);
  } catch {
    return { message: '', codes: [] };
  }
  const outer = asRecord(parsed);
  const error = typeof outer['error'] === 'string' ? { message: outer['error'] } : asRecord(outer['error'] ?? outer);
  const inner = asRecord(error['innererror']);
  const message = error['message'] ?? outer['detail'];
  const codes = [inner['code'], error['code'], error['type']].map(String);
  return { message: typeof message === 'string' ? message : '', codes };
}

function asRecord(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
}

/** One line, no longer than helps. Servers quote data URIs, whole pictures long. */
function quote(message: string): string {
  const line = message
    .replaceAll(/\s+/g, ' ')
    .replaceAll(/[A-Za-z0-9+/=_-]{100,}/g, '…')
    .trim();
  return line === '' ? '.' : `: ${line.length > 200 ? `${line.slice(0, 200)}…` : line}`;
}

/**
 * What an answer to `GET /models` means for calls: null when they may be made. A server without such a list is none the
 * worse; whether it has the model only a call can tell, since gateways and LoRA adapters answer to names that they do not list.
 */
export function judgeCheck(status: number, body: string): Refusal | null {
  if (status === 200 || status === 404 || status === 405 || status === 501) return null;
  const refusal = readRefusal(status, body);
  return refusal.kind === 'item' ? null : refusal;
}
