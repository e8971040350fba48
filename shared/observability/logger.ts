/** JSON logs of one process. Secrets are redacted by path; a job's lines carry `job` and `trace`. */
import { type Logger, pino } from 'pino';

export type { Logger };

/** A logger of one role ("api", "worker", ...). Writes to standard error: standard output belongs to people. */
export function createLogger(role: string, level: string): Logger {
  return pino(
    {
      level,
      base: { role, pid: process.pid },
      timestamp: pino.stdTimeFunctions.isoTime,
      redact: {
        paths: ['authorization', 'headers.authorization', 'secret', '*.secret', '*.authorization', 'token', '*.token'],
        censor: '[redacted]',
      },
    },
    pino.destination({ fd: 2, sync: false }),
  );
}
