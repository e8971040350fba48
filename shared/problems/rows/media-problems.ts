/** How an uploaded or fetched file fails: the form, its kind, its content. */
import { type ProblemRow, row } from './problem-row.ts';

export const mediaProblems = {
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
} as const satisfies Record<string, ProblemRow>;
