/**
 * The one place where something thrown becomes an answer. Expected trouble is a Problem already; Redis being away
 * or the disk full is 503; the rest is a fault of ours: logged under the request id, and answered without a word of it.
 */
import { Problem, toProblem } from '../../shared/problems/problem.ts';
import { retryAfterSeconds } from '../jobs/retry-after.ts';

/** Redis replies that mean "not now" rather than "a wrong command". */
const notNow = /^(LOADING|OOM|MISCONF|READONLY|MASTERDOWN|CLUSTERDOWN|BUSY|TRYAGAIN|NOREPLICAS|UNBLOCKED)\b/;
const connectionTrouble =
  /^(Connection is closed|Stream isn't writeable|Command timed out|Reached the max retries|Connection is in closing)/i;

/** Anything thrown while a request was served, as the Problem to answer with. */
export function explainError(error: unknown): Problem {
  if (error instanceof Problem) return error;
  if (isRedisTrouble(error)) {
    return new Problem('overloaded', 'The job store can not be reached; nothing was changed for sure.', {
      retryAfterSeconds: retryAfterSeconds(2),
      cause: error,
    });
  }
  if (isDiskFull(error)) {
    return new Problem('overloaded', 'The disk for inputs is full; nothing was accepted.', {
      retryAfterSeconds: retryAfterSeconds(30),
      cause: error,
    });
  }
  // The router decodes path parameters: `%E0%A4%A` and the like.
  if (error instanceof URIError) return new Problem('invalid-id', 'The path is not valid percent-encoded UTF-8.');
  return toProblem(error);
}

export function isRedisTrouble(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  if (error.name === 'ReplyError') return notNow.test(error.message);
  if (error.name === 'MaxRetriesPerRequestError' || connectionTrouble.test(error.message)) return true;
  const code = (error as NodeJS.ErrnoException).code;
  return code === 'ECONNREFUSED' && (error as NodeJS.ErrnoException).syscall === 'connect';
}

function isDiskFull(error: unknown): boolean {
  const code = error instanceof Error ? (error as NodeJS.ErrnoException).code : undefined;
  return code === 'ENOSPC' || code === 'EDQUOT';
}
