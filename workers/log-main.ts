/**
 * Entry of the log writer. Nobody waits for it, so it gives way to every other process before it loads anything: loading
 * takes half a second of a core, just when the first jobs run.
 */
import { setPriority } from 'node:os';

/** Lanes and preparation have 5 (docs/decisions/0007): a row that is a second late hurts nobody. */
const niceness = 10;

setPriority(niceness);
const { runLogWriter } = await import('./prediction-log/run-log-writer.ts');
await runLogWriter();
