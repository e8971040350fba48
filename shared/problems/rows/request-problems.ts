/** How a request fails whatever it asks for: who sends it, what it names, whether there is room. */
import { type ProblemRow, row } from './problem-row.ts';

export const requestProblems = {
  'bad-request': row(
    400,
    'Bad request',
    'The bytes received are not a valid HTTP request.',
    'Check the client and any proxy between.',
  ),
  unauthenticated: row(
    401,
    'Not authenticated',
    'The API key is missing, malformed or revoked.',
    'Send `Authorization: Bearer <key>`.',
  ),
  'key-in-url': row(
    401,
    'Key in URL',
    'Keys in URLs end up in logs and histories, so they are refused.',
    'Send `Authorization: Bearer <key>`.',
  ),
  'foreign-origin': row(
    403,
    'Foreign origin',
    'Without API keys only this machine is served; the request came under a foreign name, or from a foreign web page.',
    'Call `http://127.0.0.1:<port>`, set `PUBLIC_URL` to the name in use, or configure `MILLRACE_API_KEYS`.',
  ),
  'not-found': row(
    404,
    'Not found',
    'There is no such resource for this key.',
    'Check the id, and that the key belongs to the tenant that made it.',
  ),
  gone: row(
    410,
    'Gone',
    'The job ended and its retention is over; only its id is still known.',
    'Store results when they arrive, or ask for a longer retention.',
  ),
  'method-not-allowed': row(
    405,
    'Method not allowed',
    'The resource exists but does not take this method.',
    'See the `Allow` header.',
  ),
  'headers-too-large': row(431, 'Headers too large', 'URL or headers pass 16 KiB.', 'Shorten them.'),
  'request-timeout': row(
    408,
    'Request timeout',
    'Headers or body arrived too slowly.',
    'Send the request again on a better connection.',
    true,
  ),
  'invalid-id': row(
    400,
    'Invalid id',
    'An id in the path has characters that no id has.',
    'Use the id as the API returned it.',
  ),
  'invalid-parameter': row(
    400,
    'Invalid query parameter',
    'A query parameter is unknown, repeated or out of range.',
    'See `errors`.',
  ),
  'quota-exceeded': row(
    429,
    'Quota exceeded',
    'This tenant has as many unfinished jobs as it may have.',
    'Wait for `Retry-After` seconds, or until jobs end.',
    true,
  ),
  overloaded: row(
    503,
    'Overloaded',
    'The system is full or its store is away; nothing was accepted.',
    'Wait for `Retry-After` seconds.',
    true,
  ),
  'model-unavailable': row(
    503,
    'Model unavailable',
    'An operator unloaded the model, or no worker can load it; nothing was accepted.',
    'Wait for `Retry-After` seconds, or name another model or version; GET /v1/models says which can run.',
    true,
  ),
  'too-many-streams': row(
    429,
    'Too many streams',
    'Too many open event streams.',
    'Close streams that are not needed.',
    true,
  ),
  'internal-error': row(
    500,
    'Internal error',
    'A fault of ours; it was logged under the request id.',
    'Send the request again; tell us the request id if it persists.',
    true,
  ),
} as const satisfies Record<string, ProblemRow>;
