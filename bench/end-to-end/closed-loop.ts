/** Callers over HTTP who wait for each result before they send the next. node:http with kept connections: fetch costs the double. */
import { Agent, request } from 'node:http';

/** How to ask one server for what becomes of items: texts, or whatever its model takes. */
export interface Caller {
  readonly url: string;
  readonly headers?: Readonly<Record<string, string>>;
  body(items: readonly unknown[]): string;
  /** Throws when this is not what was wanted of so many items. */
  check(answer: string, items: number): void;
  /** What became of the one item of a call. */
  outputOf(answer: string): unknown;
}

export interface LoopResult {
  readonly items: number;
  readonly ms: number;
  readonly latenciesMs: readonly number[];
}

export interface LoopWish {
  readonly clients: number;
  readonly itemsPerCall: number;
  readonly item: (index: number) => unknown;
  readonly ms: number;
}

const timeoutMs = 120_000;

export async function runClosedLoop(
  caller: Caller,
  { clients, itemsPerCall, item, ms }: LoopWish,
): Promise<LoopResult> {
  const agent = new Agent({ keepAlive: true, maxSockets: clients });
  const startedAt = performance.now();
  const latenciesMs: number[] = [];
  let items = 0;
  let next = 0;
  const client = async () => {
    while (performance.now() - startedAt < ms) {
      const some = Array.from({ length: itemsPerCall }, () => item(next++));
      const sentAt = performance.now();
      caller.check(await post(caller, agent, caller.body(some)), itemsPerCall);
      latenciesMs.push(performance.now() - sentAt);
      items += itemsPerCall;
    }
  };
  try {
    await Promise.all(Array.from({ length: clients }, client));
  } finally {
    agent.destroy();
  }
  return { items, ms: performance.now() - startedAt, latenciesMs };
}

/** What a server makes of one item. */
export async function askOnce(caller: Caller, item: unknown): Promise<unknown> {
  const agent = new Agent();
  try {
    const answer = await post(caller, agent, caller.body([item]));
    caller.check(answer, 1);
    return caller.outputOf(answer);
  } finally {
    agent.destroy();
  }
}

async function post({ url, headers }: Caller, agent: Agent, body: string): Promise<string> {
  return await new Promise((resolve, reject) => {
    const length = String(Buffer.byteLength(body));
    const options = {
      agent,
      method: 'POST',
      headers: { 'content-type': 'application/json', 'content-length': length, ...headers },
      timeout: timeoutMs,
    };
    const call = request(url, options, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('error', reject);
      response.on('end', () => {
        const text = Buffer.concat(chunks).toString();
        if ((response.statusCode ?? 500) < 300) resolve(text);
        else reject(new Error(`${url} answered ${response.statusCode}: ${text.slice(0, 200)}`));
      });
    });
    call.on('timeout', () => call.destroy(new Error(`${url} did not answer within ${timeoutMs} ms`)));
    call.on('error', reject);
    call.end(body);
  });
}
