/**
 * The one thrown class of expected trouble, and its RFC 9457 form. Knows the catalogue; knows nothing of HTTP.
 */
import { type ProblemSlug, problemCatalogue } from './catalogue.ts';

/** One fault of one field: `pointer` is a JSON Pointer (RFC 6901) into the request body. */
export interface FieldFault {
  readonly pointer: string;
  readonly detail: string;
}

/** RFC 9457 problem details. `type` is relative to the API's own origin and resolves to a page. */
export interface ProblemDetails {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly detail: string;
  readonly errors?: readonly FieldFault[];
  readonly request_id?: string;
}

export interface ProblemOptions {
  readonly errors?: readonly FieldFault[];
  /** Seconds after which a retry makes sense; becomes Retry-After. */
  readonly retryAfterSeconds?: number;
  readonly cause?: unknown;
}

/** Thrown for expected trouble. `detail` gives subject, what was got, the limit and the next step. */
export class Problem extends Error {
  readonly slug: ProblemSlug;
  readonly detail: string;
  readonly errors: readonly FieldFault[] | undefined;
  readonly retryAfterSeconds: number | undefined;

  constructor(slug: ProblemSlug, detail: string, options: ProblemOptions = {}) {
    super(`${slug}: ${detail}`, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'Problem';
    this.slug = slug;
    this.detail = detail;
    this.errors = options.errors;
    this.retryAfterSeconds = options.retryAfterSeconds;
  }

  get status(): number {
    return problemCatalogue[this.slug].status;
  }

  toDetails(requestId?: string): ProblemDetails {
    const { title, status } = problemCatalogue[this.slug];
    return {
      type: `/problems/${this.slug}`,
      title,
      status,
      detail: this.detail,
      ...(this.errors && { errors: this.errors }),
      ...(requestId && { request_id: requestId }),
    };
  }
}

/** Anything thrown, as a Problem: unexpected errors become `fallback` without leaking their text. */
export function toProblem(error: unknown, fallback: ProblemSlug = 'internal-error'): Problem {
  if (error instanceof Problem) return error;
  return new Problem(fallback, `${problemCatalogue[fallback].meaning}`, { cause: error });
}
