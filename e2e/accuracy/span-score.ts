/** Micro-averaged F1 of exact spans: label, start and end must all be right. */

export interface Span {
  readonly label: string;
  readonly start: number;
  readonly end: number;
}

export class SpanScore {
  #right = 0;
  #given = 0;
  #wanted = 0;

  add(given: readonly Span[], wanted: readonly Span[]): void {
    const names = new Set(wanted.map(nameOf));
    this.#right += given.filter((span) => names.has(nameOf(span))).length;
    this.#given += given.length;
    this.#wanted += wanted.length;
  }

  get f1(): number {
    return (2 * this.#right) / (this.#given + this.#wanted);
  }
}

function nameOf({ label, start, end }: Span): string {
  return `${label} ${start} ${end}`;
}
