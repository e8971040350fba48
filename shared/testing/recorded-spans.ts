/** Tracing that keeps what it is given, for tests: every trace begun here is recorded, or as many as `ratio` says. */
import { headTraceparent } from '../observability/trace-context.ts';
import type { Span, Tracing } from '../observability/tracing/span.ts';

export class RecordedSpans implements Tracing {
  readonly isOn = true;
  readonly spans: Span[] = [];
  readonly #ratio: number;

  constructor(ratio = 1) {
    this.#ratio = ratio;
  }

  accept(header: string | undefined, beginsTrace: boolean): string {
    return headTraceparent(header, beginsTrace ? this.#ratio : 0);
  }

  record(spans: readonly Span[]): void {
    this.spans.push(...spans);
  }

  named(name: string): Span[] {
    return this.spans.filter((span) => span.name === name);
  }
}
