/**
 * Reads a whole request body into memory, bounded in bytes (also after decompression) and in time. What the bytes mean
 * is the caller's business; multipart bodies never come here.
 */
import { promisify } from 'node:util';
import { brotliDecompress, gunzip, inflate, type ZlibOptions } from 'node:zlib';
import { Problem } from '../../shared/problems/problem.ts';
import { watchBody } from './body-deadline.ts';
import type { Call } from './call.ts';

type Decoder = (bytes: Buffer, options: ZlibOptions) => Promise<Buffer>;
const decoders: ReadonlyMap<string, Decoder> = new Map([
  ['gzip', promisify(gunzip) as Decoder],
  ['x-gzip', promisify(gunzip) as Decoder],
  ['deflate', promisify(inflate) as Decoder],
  ['br', promisify(brotliDecompress) as Decoder],
]);

/** The body, decompressed, or a Problem: unsupported-media-type, bad-encoding, payload-too-large, request-timeout. */
export async function readBody(call: Call, bytesMax: number): Promise<Buffer> {
  const encoding = call.header('content-encoding')?.trim().toLowerCase() ?? 'identity';
  const decode = encoding === 'identity' || encoding === '' ? undefined : decoders.get(encoding);
  if (encoding !== 'identity' && encoding !== '' && !decode) {
    throw new Problem('unsupported-media-type', 'Content-Encoding is not one of gzip, deflate, br or identity.');
  }
  const bytes = await collect(call, bytesMax);
  if (!decode || bytes.length === 0) return bytes;
  try {
    return await decode(bytes, { maxOutputLength: bytesMax });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE') throw tooLarge(bytesMax);
    throw new Problem('bad-encoding', `The body is not valid ${encoding}.`, { cause: error });
  }
}

export function tooLarge(bytesMax: number): Problem {
  const limit = bytesMax >= 2 ** 20 ? `${Math.floor(bytesMax / 2 ** 20)} MiB` : `${bytesMax} bytes`;
  return new Problem(
    'payload-too-large',
    `The body passes ${limit} (after decompression). Send less, or pass large media as multipart or by URL.`,
  );
}

/** Asks a client that said `Expect: 100-continue` to go on. */
export function askForBody(call: Call): void {
  if (call.header('expect')?.toLowerCase() === '100-continue') call.response.writeContinue();
}

async function collect(call: Call, bytesMax: number): Promise<Buffer> {
  const { request } = call;
  if (Number(call.header('content-length') ?? 0) > bytesMax) throw tooLarge(bytesMax);
  askForBody(call);
  return await new Promise<Buffer>((resolve, reject) => {
    const chunks: Buffer[] = [];
    let bytes = 0;
    const settle = (act: () => void) => {
      stopWatch();
      request.off('data', onData).off('end', onEnd).off('error', onError).off('close', onClose);
      act();
    };
    const onData = (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes > bytesMax) settle(() => reject(tooLarge(bytesMax)));
      else chunks.push(chunk);
    };
    const onEnd = () => settle(() => resolve(chunks.length === 1 ? (chunks[0] as Buffer) : Buffer.concat(chunks)));
    const onError = (error: Error) => settle(() => reject(cutOff(error)));
    const onClose = () => settle(() => reject(cutOff()));
    const stopWatch = watchBody(
      request,
      () => bytes,
      (late) => settle(() => reject(late)),
    );
    request.on('data', onData).on('end', onEnd).on('error', onError).on('close', onClose);
  });
}

function cutOff(cause?: Error): Problem {
  return new Problem('bad-request', 'The body ended before it was complete.', cause ? { cause } : {});
}
