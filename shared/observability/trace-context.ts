/**
 * W3C trace context: reads and writes `traceparent`, mints ids, and decides at the head which traces are recorded. Pure
 * but for the random ids; knows nothing of spans.
 */
import { drawBytes } from '../entropy/draw-bytes.ts';

export interface TraceContext {
  /** 32 hex digits. */
  readonly traceId: string;
  /** 16 hex digits: the span that what follows hangs below. */
  readonly spanId: string;
  /** Two hex digits. */
  readonly flags: string;
}

const pattern = /^00-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-([0-9a-f]{2})$/;
/** Where the last digit of the flags stands: its lowest bit says "sampled". */
const flagAt = 54;

export function parseTraceparent(header: string | undefined): TraceContext | null {
  const [, traceId, spanId, flags] = (header !== undefined && pattern.exec(header)) || [];
  return traceId && spanId && flags ? { traceId, spanId, flags } : null;
}

export function formatTraceparent({ traceId, spanId, flags }: TraceContext): string {
  return `00-${traceId}-${spanId}-${flags}`;
}

/** Of a traceparent that was checked before: reads one character, so that an unsampled job costs nothing. */
export function isSampled(traceparent: string | undefined): boolean {
  return traceparent !== undefined && '13579bdf'.includes(traceparent[flagAt] ?? '0');
}

export function traceIdOf(traceparent: string | undefined): string | undefined {
  return parseTraceparent(traceparent)?.traceId;
}

/**
 * The traceparent that a request goes on under. The caller's flag decides when it sends one; a request without one begins
 * a trace, recorded with probability `ratio` when spans of its kind are wanted. An unrecorded caller's is handed on as it
 * is: its span is the last one there is.
 */
export function headTraceparent(header: string | undefined, ratio: number): string {
  const caller = parseTraceparent(header);
  if (caller === null) {
    const traceId = mintTraceId();
    return formatTraceparent({ traceId, spanId: mintSpanId(), flags: isChosen(traceId, ratio) ? '01' : '00' });
  }
  const given = header as string;
  return isSampled(given) ? formatTraceparent({ ...caller, spanId: mintSpanId() }) : given;
}

/** By the trace id alone (its last 52 bits), so that every process, asked again, decides the same. */
export function isChosen(traceId: string, ratio: number): boolean {
  return ratio > 0 && Number.parseInt(traceId.slice(-13), 16) < ratio * 2 ** 52;
}

export function mintTraceId(): string {
  return drawBytes(16).toString('hex');
}

export function mintSpanId(): string {
  return drawBytes(8).toString('hex');
}
