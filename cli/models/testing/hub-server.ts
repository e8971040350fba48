/**
 * A server that speaks the Hub's HTTP API as far as fetching a model goes: model info, paged listing, search, `resolve`
 * with ranges, large files by way of another host as the Hub's CDN. A test cuts, stalls, corrupts and forbids at will.
 */
import { createHash } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { waitUntil } from '../../../shared/testing/wait-until.ts';

export interface HubRepository {
  commit: string;
  files: Record<string, Buffer | string>;
  pipelineTag?: string;
  tags?: string[];
  /** Only with this token. */
  token?: string;
}

export interface HubFaults {
  /** Bytes after which a download of the path is cut, one entry per download. */
  readonly cuts: Map<string, number[]>;
  /** Bytes that the client has on disk: a download is cut once they are all there. What it has not read goes with the connection. */
  kept: () => number;
  /** Downloads of the path that come with a wrong byte. */
  readonly corrupt: Map<string, number>;
  /** Listed, but not there. */
  readonly missing: Set<string>;
  /** Bytes after which a download of the path hangs. */
  readonly stalls: Map<string, number>;
  /** Answers 503 so many times. */
  failures: number;
}

/** As the Hub does: what is larger is in LFS, with a sha256. */
const lfsFrom = 1000;
const pageSize = 4;

export class HubServer {
  readonly repositories = new Map<string, HubRepository>();
  readonly faults: HubFaults = {
    cuts: new Map(),
    kept: () => 0,
    corrupt: new Map(),
    missing: new Set(),
    stalls: new Map(),
    failures: 0,
  };
  /** `<path> <range or "whole">` of every download of content. */
  readonly downloads: string[] = [];
  readonly #hub: Server;
  readonly #cdn: Server;

  private constructor() {
    this.#hub = createServer((request, response) => this.#answer(request, response));
    this.#cdn = createServer((request, response) => this.#answerCdn(request, response));
  }

  static async start(): Promise<HubServer> {
    const server = new HubServer();
    for (const part of [server.#hub, server.#cdn]) await new Promise<void>((done) => part.listen(0, '127.0.0.1', done));
    return server;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#hub.address() as AddressInfo).port}`;
  }

  async stop(): Promise<void> {
    for (const part of [this.#hub, this.#cdn]) {
      part.closeAllConnections();
      await new Promise<void>((done) => part.close(() => done()));
    }
  }

  #answer(request: IncomingMessage, response: ServerResponse): unknown {
    const url = new URL(request.url ?? '', this.url);
    if (this.faults.failures > 0) {
      this.faults.failures--;
      return send(response, 503, { error: 'busy' });
    }
    if (url.pathname === '/api/models') return void this.#search(url, response);
    const [, name = '', kind, revision = '', path] =
      /^\/(?:api\/models\/)?([^/]+\/[^/]+)\/(revision|tree|resolve)\/([^/]+)(?:\/(.*))?$/.exec(url.pathname) ?? [];
    const repository = this.repositories.get(name);
    const isAllowed = !repository?.token || request.headers.authorization === `Bearer ${repository.token}`;
    // The Hub does not tell a stranger whether a private model is there.
    if (!isAllowed || (!repository && !request.headers.authorization && name.startsWith('private/')))
      return send(response, 401, { error: 'Invalid username or password.' });
    if (!repository) return send(response, 404, { error: 'Repository not found' });
    if (!['main', repository.commit].includes(revision)) return send(response, 404, { error: 'Invalid rev id' });
    if (kind === 'revision') return send(response, 200, infoOf(name, repository));
    if (kind === 'tree') return void this.#list(url, repository, response);
    return void this.#resolve({ path: decodeURIComponent(path ?? ''), repository, request, response });
  }

  #search(url: URL, response: ServerResponse): void {
    const query = (url.searchParams.get('search') ?? '').toLowerCase();
    const owner = url.searchParams.get('author') ?? '';
    const found = [...this.repositories].filter(
      ([name]) => name.toLowerCase().includes(query) && name.startsWith(owner === '' ? '' : `${owner}/`),
    );
    send(
      response,
      200,
      found.map(([name, repository]) => infoOf(name, repository)),
    );
  }

  #list(url: URL, { files }: HubRepository, response: ServerResponse): void {
    const from = Number(url.searchParams.get('cursor') ?? 0);
    const all = Object.entries(files).map(([path, content]) => entryOf(path, Buffer.from(content as string)));
    if (from + pageSize < all.length) {
      url.searchParams.set('cursor', String(from + pageSize));
      response.setHeader('Link', `<${url.href}>; rel="next"`);
    }
    send(response, 200, all.slice(from, from + pageSize));
  }

  #resolve({ path, repository, request, response }: Download): void {
    const content = repository.files[path];
    if (content === undefined || this.faults.missing.has(path)) {
      response.setHeader('X-Error-Code', 'EntryNotFound');
      send(response, 404, { error: 'Entry not found' });
      return;
    }
    const bytes = Buffer.from(content as string);
    response.setHeader('X-Linked-Size', bytes.length);
    response.setHeader('X-Linked-ETag', `"${entryOf(path, bytes).lfs?.oid ?? 'small'}"`);
    if (bytes.length < lfsFrom) {
      this.#sendContent({ path, bytes, request, response });
      return;
    }
    const { port } = this.#cdn.address() as AddressInfo;
    const name = [...this.repositories].find(([, other]) => other === repository)?.[0];
    response.writeHead(302, { Location: `http://127.0.0.1:${port}/${name}/${path}` }).end();
  }

  #answerCdn(request: IncomingMessage, response: ServerResponse): void {
    // The token is for the Hub alone.
    if (request.headers.authorization) {
      send(response, 400, { error: 'token leaked' });
      return;
    }
    const [, name = '', path = ''] = /^\/([^/]+\/[^/]+)\/(.*)$/.exec(decodeURIComponent(request.url ?? '')) ?? [];
    const bytes = Buffer.from((this.repositories.get(name)?.files[path] ?? '') as string);
    this.#sendContent({ path, bytes, request, response });
  }

  #sendContent({ path, bytes, request, response }: Content): void {
    const [, from = '', to = ''] = /^bytes=(\d+)-(\d*)$/.exec(request.headers.range ?? '') ?? [];
    const isProbe = from === '0' && to === '0';
    const start = Number(from || 0);
    const end = to === '' ? bytes.length : Math.min(bytes.length, Number(to) + 1);
    const part = Buffer.from(bytes.subarray(start, end));
    if (!isProbe) this.downloads.push(`${path} ${request.headers.range ?? 'whole'}`);
    const spoilt = this.faults.corrupt.get(path) ?? 0;
    if (!isProbe && spoilt > 0) {
      this.faults.corrupt.set(path, spoilt - 1);
      part[0] = ((part[0] ?? 0) + 1) % 256;
    }
    const head = { 'Content-Length': part.length, ETag: '"content"', 'Accept-Ranges': 'bytes' };
    if (request.headers.range)
      response.writeHead(206, { ...head, 'Content-Range': `bytes ${start}-${end - 1}/${bytes.length}` });
    else response.writeHead(200, head);
    const cut = isProbe ? undefined : this.faults.cuts.get(path)?.shift();
    const stall = isProbe ? undefined : this.faults.stalls.get(path);
    if (stall !== undefined) response.write(part.subarray(0, stall));
    else if (cut === undefined) response.end(part);
    else {
      response.write(part.subarray(0, cut));
      void waitUntil('the client has it', () => this.faults.kept() >= start + cut)
        .catch(() => {}) // It has hung up.
        .finally(() => response.destroy());
    }
  }
}

interface Download {
  readonly path: string;
  readonly repository: HubRepository;
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
}

interface Content {
  readonly path: string;
  readonly bytes: Buffer;
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
}

function infoOf(id: string, { commit, pipelineTag, tags = [] }: HubRepository) {
  const counts = { downloads: 1, likes: 1 };
  return {
    _id: '1',
    id,
    sha: commit,
    pipeline_tag: pipelineTag,
    tags,
    private: false,
    gated: false,
    lastModified: '2026-11-01T00:00:00.000Z',
    ...counts,
  };
}

function entryOf(path: string, bytes: Buffer) {
  const oid = createHash('sha1').update(`blob ${bytes.length}\0`).update(bytes).digest('hex');
  const lfs = { oid: createHash('sha256').update(bytes).digest('hex'), size: bytes.length, pointerSize: 130 };
  return { type: 'file', path, size: bytes.length, oid, ...(bytes.length >= lfsFrom && { lfs }) };
}

function send(response: ServerResponse, status: number, body: unknown): unknown {
  return response.writeHead(status, { 'Content-Type': 'application/json' }).end(JSON.stringify(body));
}
