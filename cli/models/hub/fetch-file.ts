/**
 * One file of the Hub into the cache that Python uses, too: `blobs/<digest>`, whole and checked, or `<digest>.incomplete`,
 * from which the next attempt goes on. A connection that is cut or stalls is opened anew, five times; a file whose
 * content is not what its digest says is fetched once more from the start, and then given up.
 */
import { createHash } from 'node:crypto';
import { createReadStream, createWriteStream, existsSync } from 'node:fs';
import { mkdir, rename, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { Readable, Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { ReadableStream as WebStream } from 'node:stream/web';
import { setTimeout as sleep } from 'node:timers/promises';
import { ModelFault } from '../../../models/repository/manifest.ts';
import type { HubFile } from './hub-client.ts';

export interface FetchParts {
  /** `<cache>/models--org--name` */
  readonly folder: string;
  readonly open: (file: HubFile, fromByte: number, signal: AbortSignal) => Promise<ReadableStream>;
  /** Called with the bytes that are there: once with those of an earlier try, then as they come. */
  readonly onBytes: (bytes: number) => void;
  readonly signal?: AbortSignal;
  /** Shorter pauses and patience, for tests. */
  readonly retryMs?: number;
  readonly stallMs?: number;
}

const attemptsMax = 5;
const retryMsFirst = 1000;
/** Nothing for so long: the connection hangs. */
const stallMsMax = 60_000;

/** Path of the whole file in the cache. */
export async function fetchFile(file: HubFile, parts: FetchParts): Promise<string> {
  const path = join(parts.folder, 'blobs', file.digest);
  if (!/^[0-9a-f]{40,64}$/.test(file.digest)) throw new ModelFault(`The Hub gives no digest for ${file.path}.`);
  if (existsSync(path) && (await digestOf(path, file)) === file.digest) {
    parts.onBytes(file.bytes);
    return path;
  }
  await mkdir(dirname(path), { recursive: true });
  const partial = `${path}.incomplete`;
  for (const isLast of [false, true]) {
    await fetchWhole(file, partial, parts);
    const found = await digestOf(partial, file);
    if (found === file.digest) break;
    await rm(partial, { force: true });
    if (isLast) {
      throw new ModelFault(
        `${file.path} came twice with a wrong digest: ${found}, the Hub says ${file.digest}. Something between changes it (a proxy?).`,
      );
    }
  }
  await rename(partial, path);
  return path;
}

async function fetchWhole(file: HubFile, partial: string, parts: FetchParts): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    const have = await sizeOf(partial);
    if (have > file.bytes) await rm(partial);
    if (have === file.bytes) return parts.onBytes(have);
    try {
      await append(file, partial, parts);
    } catch (error) {
      parts.signal?.throwIfAborted();
      const isHopeless = error instanceof ModelFault && !(error.cause instanceof Error);
      if (isHopeless || attempt === attemptsMax) throw describe(file, error, await sizeOf(partial));
    }
    if ((await sizeOf(partial)) < file.bytes && attempt === attemptsMax)
      throw describe(file, new Error('the connection ended early'), await sizeOf(partial));
    if ((await sizeOf(partial)) < file.bytes)
      await sleep((parts.retryMs ?? retryMsFirst) * 2 ** (attempt - 1), undefined, {
        ...(parts.signal && { signal: parts.signal }),
      });
  }
}

/** What has come stays in the partial file, however it ends. */
async function append(file: HubFile, partial: string, parts: FetchParts): Promise<void> {
  const stall = new AbortController();
  const patience = () =>
    setTimeout(() => stall.abort(new Error('nothing came for too long')), parts.stallMs ?? stallMsMax);
  let timer = patience();
  const signal = parts.signal ? AbortSignal.any([parts.signal, stall.signal]) : stall.signal;
  let have = await sizeOf(partial);
  parts.onBytes(have);
  const count = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      clearTimeout(timer);
      timer = patience();
      have += chunk.length;
      // More than was announced would be another file.
      if (have > file.bytes) return done(new Error('more came than the file has'));
      parts.onBytes(have);
      done(null, chunk);
    },
  });
  try {
    const stream = await parts.open(file, have, signal);
    await pipeline(Readable.fromWeb(stream as WebStream), count, createWriteStream(partial, { flags: 'a' }), {
      signal,
    });
  } finally {
    clearTimeout(timer);
  }
}

function describe(file: HubFile, error: unknown, have: number): ModelFault {
  if (error instanceof ModelFault) return error;
  const reason = error instanceof Error ? error.message : String(error);
  return new ModelFault(
    `${file.path} could not be fetched (${reason}); ${have} of ${file.bytes} bytes are kept. The same command goes on from there.`,
    { cause: error },
  );
}

/** Large files have a sha256; small ones what git calls them, the sha1 of a header and the content. */
async function digestOf(path: string, { digest, bytes }: HubFile): Promise<string> {
  const isGit = digest.length === 40;
  const hash = createHash(isGit ? 'sha1' : 'sha256');
  if (isGit) hash.update(`blob ${bytes}\0`);
  for await (const chunk of createReadStream(path, { highWaterMark: 1 << 20 })) hash.update(chunk as Buffer);
  return hash.digest('hex');
}

async function sizeOf(path: string): Promise<number> {
  return (await stat(path).catch(() => null))?.size ?? 0;
}
