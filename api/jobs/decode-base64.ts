/** Base64, base64url or a base64 data URI -> bytes. Strict: Buffer.from alone skips what it does not know. Pure. */
import { Problem } from '../../shared/problems/problem.ts';

/** Throws `invalid-base64`; `empty-file` when there are no bytes. */
export function decodeBase64(data: string, pointer: string): Buffer {
  const text = stripDataUri(data, pointer);
  const bytes = Buffer.from(text, 'base64');
  const padding = text.endsWith('==') ? 2 : text.endsWith('=') ? 1 : 0;
  const characters = text.length - padding;
  // Skipped characters make fewer bytes than the length promises.
  const isWhole = characters % 4 !== 1 && (padding === 0 || text.length % 4 === 0);
  if (!isWhole || bytes.length !== Math.floor((characters * 3) / 4)) throw fault(pointer);
  if (bytes.length === 0) {
    throw new Problem('empty-file', 'The file has no bytes.', {
      errors: [{ pointer, detail: 'The file has no bytes.' }],
    });
  }
  return bytes;
}

/** The declared type is not looked at: the content tells. */
function stripDataUri(data: string, pointer: string): string {
  if (!/^data:/i.test(data.slice(0, 5))) return data;
  const comma = data.slice(0, 256).indexOf(',');
  if (comma < 0 || !/;base64$/i.test(data.slice(0, comma))) throw fault(pointer);
  return data.slice(comma + 1);
}

function fault(pointer: string): Problem {
  const detail = 'This is neither base64 nor a base64 data URI ("data:image/png;base64,...").';
  return new Problem('invalid-base64', detail, { errors: [{ pointer, detail }] });
}
