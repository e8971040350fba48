/** How a job or one of its items ends otherwise than well, and what can no longer be done to it. */
import { type ProblemRow, row } from './problem-row.ts';

export const jobProblems = {
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
} as const satisfies Record<string, ProblemRow>;
