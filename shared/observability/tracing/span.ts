/**
 * What the rest of the code knows of tracing: a finished span as plain data, and where it goes. No span exists before it
 * has ended: who is followed keeps times and numbers, and puts the spans together afterwards. So what is not sampled
 * costs one comparison, and no vendor's type is met outside this folder.
 */
import { headTraceparent, isSampled, parseTraceparent } from '../trace-context.ts';

export type AttributeValue = string | number | boolean;
export type Attributes = Readonly<Record<string, AttributeValue | undefined>>;

export interface SpanEvent {
  readonly name: string;
  readonly atMs: number;
  readonly attributes?: Attributes;
}

/** Names a span of another trace, or of another branch of this one. */
export interface SpanLink {
  readonly traceId: string;
  readonly spanId: string;
  readonly attributes?: Attributes;
}

export interface Span {
  readonly name: string;
  readonly kind: 'internal' | 'server' | 'client' | 'consumer';
  readonly traceId: string;
  readonly spanId: string;
  /** Absent for the first span of a trace. */
  readonly parentId?: string | undefined;
  /** Times are ms since 1970, with fractions (`epoch-clock.ts`). */
  readonly startMs: number;
  readonly endMs: number;
  readonly attributes?: Attributes;
  readonly events?: readonly SpanEvent[];
  readonly links?: readonly SpanLink[];
  /** What went wrong, in a word or slug; marks the span as failed. */
  readonly error?: string | undefined;
}

export interface Tracing {
  /** False: nothing is recorded, whatever a traceparent says. */
  readonly isOn: boolean;
  /** The traceparent that a request goes on under; `beginsTrace`: one without a caller's may be chosen. */
  accept(header: string | undefined, beginsTrace: boolean): string;
  /** All of them or, when the queue has no room for all, none: half a tree would have orphans. Never blocks or throws. */
  record(spans: readonly Span[]): void;
}

/** Hands trace contexts on and records nothing. */
export const noTracing: Tracing = {
  isOn: false,
  accept: (header) => (header !== undefined && parseTraceparent(header) ? header : headTraceparent(undefined, 0)),
  record() {},
};

/** Whether what goes on under this traceparent is recorded here. */
export function follows(tracing: Tracing, traceparent: string | undefined): traceparent is string {
  return tracing.isOn && isSampled(traceparent);
}
