/**
 * Every way a request or a job can go wrong, as data: one row per slug. Owns the mapping slug -> HTTP status, meaning
 * and next step; knows neither HTTP responses nor the place where a problem is raised. `/problems/<slug>` renders a row.
 */
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

const row = (status: number, title: string, meaning: string, fix: string, retryable = false): ProblemRow => ({
  status,
  title,
  meaning,
  fix,
  retryable,
});

export const problemCatalogue = {
  // requests
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
  'predictions-off': row(
    404,
    'Predictions are not recorded',
    'This installation keeps no record of predictions.',
    'Have the operator set `MILLRACE_PREDICTIONS=on`.',
  ),
  'predictions-unavailable': row(
    503,
    'Record of predictions unavailable',
    'The log writer or its database is away. Jobs are not affected, and nothing that ends meanwhile is lost to the record.',
    'Wait for `Retry-After` seconds.',
    true,
  ),
  'nothing-to-learn': row(
    422,
    'Nothing to learn',
    'There is no dataset to export: outputs of this task are nothing to train on, or no judged prediction matches.',
    'Name another task, or send feedback first.',
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
  // bodies
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
  // URLs
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
  // media
  'malformed-multipart': row(
    400,
    'Malformed multipart',
    'The form has no boundary or ends early.',
    'Use a client library to build the form.',
  ),
  'too-many-parts': row(
    400,
    'Too many parts',
    'The form has too many parts, or a part has an empty or overlong name.',
    'Send only the documented fields.',
  ),
  'empty-file': row(422, 'Empty file', 'The file has no bytes.', 'Send the file again.'),
  'invalid-base64': row(
    422,
    'Invalid base64',
    '`data` is neither base64 nor a base64 data URI.',
    'Encode the file with standard base64.',
  ),
  'unsupported-file-type': row(
    415,
    'Unsupported file type',
    'The content is not of a kind that this task reads, whatever its name says.',
    'Send one of the kinds that the detail lists.',
  ),
  'image-too-large': row(
    422,
    'Image too large',
    'The image has more pixels or frames than are decoded.',
    'Scale it down.',
  ),
  'corrupt-image': row(422, 'Corrupt image', 'The image can not be decoded.', 'Send it again, or convert it.'),
  'corrupt-audio': row(
    422,
    'Corrupt audio',
    'The audio can not be decoded, or holds no sound.',
    'Send it again, or convert it to WAV.',
  ),
  'audio-too-long': row(422, 'Audio too long', 'The audio is longer than the model takes.', 'Cut it into pieces.'),
  // jobs
  'already-finished': row(409, 'Already finished', 'The job ended before it could be canceled.', 'Read its outcome.'),
  'run-timeout': row(
    422,
    'Run timeout',
    'The job ran longer than its `timeout`.',
    'Ask for a longer timeout, or send fewer items.',
  ),
  expired: row(
    422,
    'Expired',
    'The job did not start within `expires_in`.',
    'Send it again when there is less load, or allow more time.',
    true,
  ),
  canceled: row(422, 'Canceled', 'The job was canceled.', 'Send it again if that was a mistake.'),
  'poison-job': row(
    422,
    'Poison job',
    'The job stopped the inference process every time it ran alone, so it was set aside.',
    'Check the input; the operator finds the job among the dead letters.',
  ),
  'inference-failed': row(
    422,
    'Inference failed',
    'The model refused this item.',
    'Check the input against the model card.',
  ),
  'content-refused': row(
    422,
    'Content refused',
    'The server that runs this model would not answer this item: its content filter, or the model itself, refused.',
    'Change the picture or the prompt; what is refused is the rule of whoever runs the model.',
  ),
  'upstream-failed': row(
    502,
    'Upstream failed',
    'The server that runs this model gave no usable answer to this item, however often it was asked.',
    'Send the job again later; `GET /v1/models` says whether the server runs.',
    true,
  ),
  'non-finite-output': row(
    422,
    'Non-finite output',
    'The model gave NaN or infinity for this item.',
    'Check the input; report the model to its maker.',
  ),
  'blob-missing': row(
    500,
    'Stored input missing',
    'The stored input can not be read back.',
    'Send the job again; tell the operator.',
    true,
  ),
  'unsupported-record': row(
    500,
    'Unsupported record',
    'The job was written by a release too far from this one.',
    'Finish the upgrade, or roll back.',
  ),
  'delivery-under-way': row(
    409,
    'Delivery under way',
    'Attempts at this event go on; it was not queued again.',
    'Wait; GET /v1/jobs/{id}/deliveries says when the next attempt is due.',
  ),
  'webhook-disabled': row(
    409,
    'Webhook disabled',
    'The URL answered 410 Gone, so nothing is sent there any more.',
    'Turn it on with POST /v1/webhooks/enable.',
  ),
  'weak-webhook-secret': row(
    422,
    'Weak webhook secret',
    'A secret is `whsec_` and base64 of 24 to 64 bytes.',
    'Generate 32 random bytes.',
  ),
} as const satisfies Record<string, ProblemRow>;

export type ProblemSlug = keyof typeof problemCatalogue;
