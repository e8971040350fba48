/** What a row of the catalogue holds, and the short way to write one. */
export interface ProblemRow {
  readonly status: number;
  readonly title: string;
  /** What happened, for the page that `type` resolves to. */
  readonly meaning: string;
  /** What the caller can do about it. */
  readonly fix: string;
  /** True when the same request may succeed later without a change. */
  readonly retryable: boolean;
}

export const row = (status: number, title: string, meaning: string, fix: string, retryable = false): ProblemRow => ({
  status,
  title,
  meaning,
  fix,
  retryable,
});
