/** Requests byte by byte over a real socket: clients and libraries would not let these out. */
import { connect } from 'node:net';

export interface RawAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly text: string;
  /** Parsed, when it is JSON. */
  readonly body: Readonly<Record<string, unknown>>;
}

/** For an answer that never ends; a busy machine lets seconds pass between two pieces of one. */
const silenceMsMax = 15_000;

/** Sends and reads until the answer has all the bytes that its head names, or the server closes. */
export async function sendRaw(port: number, parts: string | Buffer | readonly (string | Buffer)[]): Promise<RawAnswer> {
  let answer = Buffer.alloc(0);
  await new Promise<void>((resolve) => {
    const socket = connect(port, '127.0.0.1');
    let timer: NodeJS.Timeout | undefined;
    const finish = () => {
      clearTimeout(timer);
      socket.destroy();
      resolve();
    };
    socket.on('data', (chunk) => {
      answer = Buffer.concat([answer, chunk]);
      clearTimeout(timer);
      if (isWhole(answer)) return finish();
      timer = setTimeout(finish, silenceMsMax);
    });
    socket.on('error', finish);
    socket.on('close', finish);
    for (const part of [parts].flat()) socket.write(part as string | Buffer);
  });
  return parseAnswer(answer.toString('utf8'));
}

/** Servers may keep a connection open for a while after an answer to a request that they did not read to its end. */
function isWhole(answer: Buffer): boolean {
  const final = withoutContinue(answer.toString('latin1'));
  const end = final.indexOf('\r\n\r\n');
  const length = /^content-length: *(\d+)/im.exec(final.slice(0, end))?.[1];
  return end >= 0 && length !== undefined && final.length >= end + 4 + Number(length);
}

const withoutContinue = (raw: string) => raw.replace(/^HTTP\/1\.1 100[^\r]*\r\n\r\n/, '');

function parseAnswer(raw: string): RawAnswer {
  const answer = withoutContinue(raw);
  const split = answer.indexOf('\r\n\r\n');
  const [first = '', ...lines] = answer.slice(0, split).split('\r\n');
  const headers = Object.fromEntries(
    lines.map((line) => [line.slice(0, line.indexOf(':')).toLowerCase(), line.slice(line.indexOf(':') + 1).trim()]),
  );
  const text = answer.slice(split + 4);
  let body: Record<string, unknown> = {};
  try {
    body = JSON.parse(text) as Record<string, unknown>;
  } catch {}
  return { status: Number(first.split(' ')[1] ?? 0), headers, text, body };
}

export interface Wish {
  readonly method?: string;
  readonly path?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Buffer;
}

/** A whole request; Host, Content-Length and Connection: close unless given. */
export function rawRequest({ method = 'GET', path = '/v1/jobs', headers = {}, body }: Wish): Buffer {
  const bytes = Buffer.from(body ?? '');
  const all: Record<string, string> = {
    Host: 'localhost',
    Connection: 'close',
    ...(body !== undefined && { 'Content-Length': String(bytes.length) }),
    ...headers,
  };
  const head = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`);
  return Buffer.concat([Buffer.from(`${method} ${path} HTTP/1.1\r\n${head.join('')}\r\n`), bytes]);
}

/** A multipart form: text fields, and files under the part name "file" unless named. */
export function formBody(
  fields: Readonly<Record<string, string>>,
  files: readonly { readonly bytes: Buffer; readonly name?: string; readonly filename?: string }[],
): { readonly type: string; readonly bytes: Buffer } {
  const boundary = 'mill0race1boundary';
  const parts: Buffer[] = [];
  for (const [name, value] of Object.entries(fields)) {
    parts.push(Buffer.from(`--${boundary}\r\nContent-Disposition: form-data; name="${name}"\r\n\r\n${value}\r\n`));
  }
  for (const { bytes, name = 'file', filename = 'x.bin' } of files) {
    const disposition = `Content-Disposition: form-data; name="${name}"; filename="${filename}"`;
    parts.push(
      Buffer.from(`--${boundary}\r\n${disposition}\r\nContent-Type: image/png\r\n\r\n`),
      bytes,
      Buffer.from('\r\n'),
    );
  }
  parts.push(Buffer.from(`--${boundary}--\r\n`));
  return { type: `multipart/form-data; boundary=${boundary}`, bytes: Buffer.concat(parts) };
}
