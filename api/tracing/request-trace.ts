/**
 * The spans of one recorded HTTP request: the request itself, and the stages that a route names. Made for sampled requests
 * only. Knows no routes and no jobs; what a route tells of its job is attributes.
 */

import { mintSpanId, parseTraceparent, type TraceContext } from '../../shared/observability/trace-context.ts';
import { epochMs } from '../../shared/observability/tracing/epoch-clock.ts';
import {
  type Attributes,
  follows,
  type Span,
  type SpanLink,
  type Tracing,
} from '../../shared/observability/tracing/span.ts';
import { problemCatalogue } from '../../shared/problems/catalogue.ts';
import type { Problem } from '../../shared/problems/problem.ts';
import type { Call } from '../http/call.ts';

/** A route has two or three stages; more would be a loop. */
const stagesMax = 16;

export class RequestTrace {
  readonly #tracing: Tracing;
  readonly #context: TraceContext;
  readonly #parentId: string | undefined;
  readonly #stages: Span[] = [];
  readonly #links: SpanLink[] = [];
  #attributes: Attributes = {};
  #problem: Problem | undefined;

  constructor(tracing: Tracing, context: TraceContext, parentId: string | undefined) {
    this.#tracing = tracing;
    this.#context = context;
    this.#parentId = parentId;
  }

  /** Null for a request that is not recorded: the usual case. */
  static of(tracing: Tracing, traceparent: string, header: string | undefined): RequestTrace | null {
    if (!follows(tracing, traceparent)) return null;
    const context = parseTraceparent(traceparent);
    return context && new RequestTrace(tracing, context, parseTraceparent(header)?.spanId);
  }

  describe(attributes: Attributes): void {
    this.#attributes = { ...this.#attributes, ...attributes };
  }

  /** Another trace that this request is about. */
  link(traceparent: string | undefined): void {
    const other = parseTraceparent(traceparent);
    if (other && other.traceId !== this.#context.traceId && this.#links.length < stagesMax) this.#links.push(other);
  }

  /** A stage from `startedMs` until now. */
  stage(name: string, startedMs: number, error?: unknown): void {
    if (this.#stages.length >= stagesMax) return;
    this.#stages.push({
      name,
      kind: 'internal',
      traceId: this.#context.traceId,
      spanId: mintSpanId(),
      parentId: this.#context.spanId,
      startMs: epochMs(startedMs),
      endMs: epochMs(performance.now()),
      error: error === undefined ? undefined : slugOf(error),
    });
  }

  /** Runs a stage of a recorded request, or of one that is not (`trace` is null). */
  static async run<Result>(trace: RequestTrace | null, name: string, work: () => Promise<Result>): Promise<Result> {
    if (trace === null) return await work();
    const startedMs = performance.now();
    try {
      const result = await work();
      trace.stage(name, startedMs);
      return result;
    } catch (error) {
      trace.stage(name, startedMs, error);
      throw error;
    }
  }

  fail(problem: Problem): void {
    this.#problem = problem;
  }

  /** The answer is out, or the caller is gone (499). */
  end(call: Call, status: number): void {
    const { method = '' } = call.request;
    const slug = this.#problem?.slug;
    const root: Span = {
      name: `${method} ${call.route}`,
      kind: 'server',
      traceId: this.#context.traceId,
      spanId: this.#context.spanId,
      parentId: this.#parentId,
      startMs: epochMs(call.startedMs),
      endMs: epochMs(performance.now()),
      attributes: {
        'http.request.method': method,
        'http.route': call.route,
        'http.response.status_code': status,
        'millrace.request.id': call.id,
        'millrace.tenant': call.tenant || undefined,
        'millrace.job.id': call.job,
        'millrace.problem': slug,
        ...this.#attributes,
      },
      links: this.#links,
      // A refusal is no fault of ours: it is found by `millrace.problem`.
      error: status >= 500 ? (slug ?? `http-${status}`) : undefined,
    };
    this.#tracing.record([root, ...this.#stages]);
  }
}

function slugOf(error: unknown): string {
  const slug = (error as { slug?: unknown } | null)?.slug;
  return typeof slug === 'string' && slug in problemCatalogue ? slug : 'internal-error';
}
