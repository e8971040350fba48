/** How a URL of a caller fails, and the file behind it. */
import { type ProblemRow, row } from './problem-row.ts';

export const urlProblems = {
  'unsupported-scheme': row(
    422,
    'Unsupported scheme',
    'Only http and https URLs are fetched.',
    'Use https, a data URI or an upload.',
  ),
  'invalid-url': row(
    422,
    'Invalid URL',
    'The URL does not parse, names a user or an unusual port, or passes 2,048 characters.',
    'Use a plain http(s) URL.',
  ),
  'blocked-address': row(
    422,
    'Blocked address',
    'The URL leads to a private, loopback or reserved address.',
    'Use a public host, or have the operator list it in MILLRACE_ALLOW_HOSTS.',
  ),
  'too-many-redirects': row(
    422,
    'Too many redirects',
    'The URL redirects more than three times.',
    'Use the final URL.',
  ),
  'remote-too-large': row(
    422,
    'Remote file too large',
    'The file behind the URL passes the limit.',
    'Use a smaller file.',
  ),
  'remote-timeout': row(
    422,
    'Remote timeout',
    'The host behind the URL was too slow.',
    'Try again, or upload the file.',
    true,
  ),
  'remote-error': row(422, 'Remote error', 'The host behind the URL did not give the file.', 'Check the URL.', true),
} as const satisfies Record<string, ProblemRow>;
