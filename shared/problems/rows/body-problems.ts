/** How a body fails: its bytes, its JSON, its fields. */
import { type ProblemRow, row } from './problem-row.ts';

export const bodyProblems = {
  'malformed-json': row(400, 'Malformed JSON', 'The body is not JSON.', 'Check the body; the detail names the place.'),
  'empty-body': row(400, 'Empty body', 'The request has no body.', 'Send a JSON object or multipart form.'),
  'unsupported-media-type': row(
    415,
    'Unsupported media type',
    'Content-Type, charset or Content-Encoding is not one that is read here.',
    'Send application/json (UTF-8) or multipart/form-data; gzip, deflate and br are decoded.',
  ),
  'bad-encoding': row(
    400,
    'Bad content encoding',
    'The compressed body is corrupt.',
    'Compress it again, or send it plain.',
  ),
  'payload-too-large': row(
    413,
    'Payload too large',
    'The body passes the limit.',
    'Send less, or pass large media by URL.',
  ),
  'too-deep': row(400, 'Nested too deep', 'The JSON is nested deeper than 32 levels.', 'Flatten it.'),
  'forbidden-key': row(400, 'Forbidden key', 'The JSON names `__proto__` or `constructor`.', 'Remove that key.'),
  'validation-failed': row(
    422,
    'Validation failed',
    'A field is unknown, missing, of the wrong type or out of range.',
    'See `errors`; each names the field by JSON pointer.',
  ),
  'invalid-unicode': row(
    422,
    'Invalid Unicode',
    'A text holds a lone surrogate or a NUL.',
    'Send well-formed Unicode.',
  ),
  'non-finite': row(422, 'Number not finite', 'A number is too large to be kept as a double.', 'Send a finite number.'),
  'unsafe-integer': row(
    422,
    'Unsafe integer',
    'An integer passes 2^53 and would be rounded.',
    'Send it as a string, or smaller.',
  ),
  'unknown-model': row(422, 'Unknown model', 'No such model is in the model repository.', 'See GET /v1/models.'),
  'unknown-task': row(
    422,
    'Unknown task',
    'No such task, or no model serves it by default.',
    'See GET /v1/models; name a model.',
  ),
  'input-too-long': row(422, 'Input too long', 'The text has more tokens than the model takes.', 'Split the text.'),
  'too-many-items': row(422, 'Too many items', 'A job holds at most 256 items.', 'Split the job.'),
  'idempotency-key-reused': row(
    422,
    'Idempotency key reused',
    'This Idempotency-Key was used with another body.',
    'Use a new key for a new request.',
  ),
  'invalid-idempotency-key': row(
    400,
    'Invalid idempotency key',
    'The key is empty, longer than 255 characters or not printable ASCII.',
    'Send 1 to 255 printable ASCII characters.',
  ),
} as const satisfies Record<string, ProblemRow>;
