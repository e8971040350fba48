/** What every bench is told on the command line. */
export interface BenchOptions {
  /** Pairs of blocks: each pair gives one ratio. */
  readonly pairs: number;
  /** Seconds a block takes, about. */
  readonly seconds: number;
  /** Runs only the parts whose name holds this. */
  readonly only: string;
  /** Writes bench/results/<name>.json. */
  readonly keep: boolean;
  /** Only what is simulated: seconds, on a machine that may be busy. */
  readonly simulateOnly: boolean;
}
