/**
 * Sends one file to a model over HTTP, as a stranger would, and says what became of it: a result, or a problem with the
 * slug that it names. Knows the public API only.
 */
import { openAsBlob } from 'node:fs';
import { basename } from 'node:path';

export interface Fate {
  readonly path: string;
  readonly model: string;
  /** `result`, or a problem's slug; what no file may lead to says itself: `timeout`, `nonsense`. */
  readonly end: string;
  /** Status of the answer to the upload: 200 where the job ended within the wait. */
  readonly status: number;
  readonly detail: string;
  readonly output: unknown;
  readonly milliseconds: number;
}

interface Problem {
  readonly type: string;
  readonly detail: string;
}

interface JobBody {
  readonly status: string;
  readonly output?: unknown;
  readonly error?: Problem | null;
  readonly urls: { readonly self: string };
}

export async function sendFile(url: string, model: string, path: string, deadlineMs: number): Promise<Fate> {
  const started = performance.now();
  const signal = AbortSignal.timeout(deadlineMs);
  const fate = (end: string, status: number, detail: string, output?: unknown): Fate => ({
    path,
    model,
    end,
    status,
    detail,
    output,
    milliseconds: Math.round(performance.now() - started),
  });
  try {
    const form = new FormData();
    form.set('model', model);
    form.set('file', await openAsBlob(path), basename(path));
    const headers = { prefer: 'wait=30' };
    let response = await fetch(`${url}/v1/jobs`, { method: 'POST', body: form, headers, signal });
    const { status } = response;
    let body = (await response.json()) as JobBody & Problem;
    if (status >= 400) return fate(slugOf(body), status, body.detail);
    while (body.status === 'queued' || body.status === 'processing') {
      response = await fetch(body.urls.self, { headers, signal });
      body = (await response.json()) as JobBody & Problem;
    }
    if (body.status === 'succeeded') return fate('result', status, '', body.output);
    return body.error ? fate(slugOf(body.error), status, body.error.detail) : fate('nonsense', status, String(body));
  } catch (error) {
    return fate(signal.aborted ? 'timeout' : 'nonsense', 0, String(error));
  }
}

function slugOf({ type }: Problem): string {
  return /^\/problems\/([a-z-]+)$/.exec(type)?.[1] ?? 'nonsense';
}

/** Every file, so many at a time, in the order given. */
export async function sendAll<Item>(
  items: readonly Item[],
  atOnce: number,
  send: (item: Item) => Promise<Fate>,
): Promise<Fate[]> {
  const fates: Fate[] = [];
  const open = items.entries();
  const work = async () => {
    for (const [index, item] of open) fates[index] = await send(item);
  };
  await Promise.all(Array.from({ length: atOnce }, work));
  return fates;
}
