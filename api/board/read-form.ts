/** The fields of a form of ours: few, short, each once. */
import { Problem } from '../../shared/problems/problem.ts';
import type { Call } from '../http/call.ts';
import { readBody } from '../http/read-body.ts';

const formBytesMax = 8192;

export async function readForm(call: Call): Promise<ReadonlyMap<string, string>> {
  const type = call.header('content-type')?.split(';')[0]?.trim().toLowerCase();
  const body = await readBody(call, formBytesMax);
  if (body.length > 0 && type !== 'application/x-www-form-urlencoded') {
    throw new Problem('unsupported-media-type', 'Send the fields as application/x-www-form-urlencoded.');
  }
  return new Map(new URLSearchParams(body.toString('utf8')));
}
