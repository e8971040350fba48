/** JSON logs of one process. Secrets are redacted by path; a job's lines carry `job` and `trace`. */
import { type DestinationStream, type Logger, pino } from 'pino';

export type { Logger };

/** A logger of one role ("api", "worker", ...). Writes to standard error: standard output belongs to people. */
export function createLogger(
  role: string,
  level: string,
  destination: DestinationStream = pino.destination({ fd: 2, sync: false }),
): Logger {
  return pino(
    {
      level,
      base: { role, pid: process.pid },
      timestamp: pino.stdTimeFunctions.isoTime,
      redact: {
        paths: [
          ...['authorization', 'headers.authorization', 'secret', '*.secret', '*.authorization', 'token', '*.token'],
          // ioredis hangs the refused command on its error: a job's whole record, or the password of AUTH.
          '*.command.args',
        ],
        censor: '[redacted]',
      },
    },
    destination,
  );
}
