/**
 * Reads a multipart form: files are spooled to disk and hashed as they come, fields are collected as texts. Bounded in
 * parts, sizes and time. A form that fails leaves no file behind. Knows nothing of jobs.
 */
import { createHash } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { rm } from 'node:fs/promises';
import type { IncomingMessage } from 'node:http';
import { pipeline } from 'node:stream/promises';
import type { Request, Response } from 'express';
import multer, { MulterError, type StorageEngine } from 'multer';
import { Problem } from '../../shared/problems/problem.ts';
import { watchBody } from './body-deadline.ts';
import type { Call } from './call.ts';
import { escapePointer } from './parse-json.ts';
import { askForBody, tooLarge } from './read-body.ts';

export interface SpooledFile {
  readonly path: string;
  readonly bytes: number;
  readonly sha256: string;
}

export interface Form {
  readonly fields: Readonly<Record<string, string>>;
  readonly files: readonly SpooledFile[];
}

export interface FormLimits {
  readonly bytesMax: number;
  readonly filesMax: number;
  /** Where a new file goes. */
  readonly spoolPath: () => string;
}

const fieldsMax = 32;
const fieldBytesMax = 8 * 2 ** 20;

/** Files must be parts named "file". Throws malformed-multipart, too-many-parts, payload-too-large, request-timeout. */
export async function readMultipart(call: Call, limits: FormLimits): Promise<Form> {
  if (Number(call.header('content-length') ?? 0) > limits.bytesMax) throw tooLarge(limits.bytesMax);
  if (call.header('content-encoding') !== undefined) {
    throw new Problem('unsupported-media-type', 'A multipart form is not read with a Content-Encoding. Send it plain.');
  }
  askForBody(call);
  const spool = new Spool(limits.spoolPath);
  try {
    const body = await parse(call, spool, limits);
    return { fields: singleFields(body), files: spool.files };
  } catch (error) {
    await spool.clear();
    throw explain(error, limits);
  }
}

/** multer's storage: one file per part, hashed on the way. */
class Spool implements StorageEngine {
  readonly files: SpooledFile[] = [];
  readonly #newPath: () => string;
  readonly #started = new Set<string>();
  readonly #writing = new Set<Promise<unknown>>();
  readonly #refused = new AbortController();

  constructor(newPath: () => string) {
    this.#newPath = newPath;
  }

  _handleFile(_request: IncomingMessage, file: Express.Multer.File, done: (error?: unknown) => void): void {
    const index = this.#started.size;
    const path = this.#newPath();
    this.#started.add(path);
    const writing = this.#write(file.stream, path).then(
      (written) => {
        this.files[index] = written;
        done();
      },
      (error) => done(error),
    );
    this.#writing.add(writing);
  }

  _removeFile(_request: IncomingMessage, _file: unknown, done: (error: Error | null) => void): void {
    done(null); // `clear` removes all of them.
  }

  async #write(stream: NodeJS.ReadableStream, path: string): Promise<SpooledFile> {
    const digest = createHash('sha256');
    let bytes = 0;
    await pipeline(
      stream,
      async function* (source) {
        for await (const chunk of source as AsyncIterable<Buffer>) {
          bytes += chunk.length;
          digest.update(chunk);
          yield chunk;
        }
      },
      createWriteStream(path, { flags: 'wx' }),
      { signal: this.#refused.signal },
    );
    return { path, bytes, sha256: digest.digest('hex') };
  }

  /** Removes every file, those still being written too. */
  async clear(): Promise<void> {
    this.#refused.abort();
    const remove = () => Promise.all([...this.#started].map((path) => rm(path, { force: true })));
    void Promise.allSettled(this.#writing).then(remove);
    await remove();
  }
}

async function parse(call: Call, spool: Spool, limits: FormLimits): Promise<Record<string, unknown>> {
  const request = call.request as Request;
  const upload = multer({
    storage: spool,
    limits: {
      files: limits.filesMax,
      fileSize: limits.bytesMax,
      fields: fieldsMax,
      fieldSize: fieldBytesMax,
      fieldNameSize: 100,
      parts: limits.filesMax + fieldsMax,
      headerPairs: 20,
    },
  }).array('file', limits.filesMax);
  return await new Promise((resolve, reject) => {
    let bytes = 0;
    const stopWatch = watchBody(request, () => bytes, reject);
    upload(request, call.response as Response, (error: unknown) => {
      stopWatch();
      if (error) reject(error);
      else resolve(request.body as Record<string, unknown>);
    });
    // Fields lie in memory, 32 of 8 MiB are allowed each: only all bytes together bound a form that states no length.
    // Counted once multer has begun to read: a listener before it would set the body flowing past it.
    request.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes <= limits.bytesMax) return;
      request.unpipe();
      reject(tooLarge(limits.bytesMax));
    });
  });
}

function singleFields(body: Record<string, unknown>): Record<string, string> {
  const fields: Record<string, string> = {};
  for (const [name, value] of Object.entries(body)) {
    if (typeof value !== 'string') {
      throw new Problem('validation-failed', 'A field comes twice, or its name has brackets.', {
        errors: [{ pointer: `/${name.slice(0, 100)}`, detail: 'Send each field once; lists and objects as JSON.' }],
      });
    }
    fields[name] = value;
  }
  return fields;
}

function explain(error: unknown, limits: FormLimits): unknown {
  if (error instanceof Problem) return error;
  // The system's own errors (disk full, no such folder) are no fault of the form.
  if (error instanceof Error && 'syscall' in error) return error;
  if (!(error instanceof MulterError)) {
    return new Problem('malformed-multipart', 'The form has no valid boundary, or ends early.', { cause: error });
  }
  switch (error.code) {
    case 'LIMIT_FILE_SIZE':
      return tooLarge(limits.bytesMax);
    case 'LIMIT_FIELD_VALUE':
      return tooLarge(fieldBytesMax);
    case 'LIMIT_FILE_COUNT':
      return new Problem('too-many-items', `A job holds at most ${limits.filesMax} files. Split it.`);
    case 'LIMIT_UNEXPECTED_FILE':
      return unexpectedFile(error.field, limits.filesMax);
    default:
      return new Problem('too-many-parts', 'The form has too many parts, or a part without a usable name.');
  }
}

/** multer's word for both a part of another name and one too many. */
function unexpectedFile(name: string | undefined, filesMax: number): Problem {
  if (name === undefined || name === 'file') {
    return new Problem('too-many-parts', `Files come as parts named "file", at most ${filesMax} of them.`);
  }
  const part = name.slice(0, 100);
  const detail = `A file came as a part named "${part}". Name the part "file", as in: curl -F file=@recording.wav.`;
  return new Problem('validation-failed', detail, { errors: [{ pointer: `/${escapePointer(part)}`, detail }] });
}
