/**
 * A server of chat completions for tests, in a process of its own, written to OpenAI's published protocol. A prompt says
 * what it does with that question, word by word: `wait 300` (ms), `status 429`, `break` (closes the connection), `cut`
 * (ends inside its JSON), `flood` (2 MB), `empty` (no choices), `say ...` (the rest is the answer). `PUT /mode` gives all
 * that come a prompt of its own; `GET /log` lists what came. Port and key are its arguments.
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';

export interface LoggedCall {
  readonly prompt: string;
  readonly body: Readonly<Record<string, unknown>>;
  readonly headers: Readonly<Record<string, unknown>>;
  /** Which connection brought it, counted from 1. */
  readonly connection: number;
  /** Since 1970, as the other. */
  readonly startedMs: number;
  endedMs: number | null;
  /** The caller hung up before the answer. */
  aborted: boolean;
}

const [port = '0', key = ''] = process.argv.slice(2);
const calls: LoggedCall[] = [];
const connections = new WeakMap<object, number>();
let connectionsSeen = 0;
let mode: { readonly prompt: string; readonly headers?: Record<string, string> } | null = null;

const server = createServer((request, response) => void answer(request, response).catch(() => response.destroy()));
server.on('connection', (socket) => connections.set(socket, ++connectionsSeen));
server.listen(Number(port), '127.0.0.1', () => process.send?.({ port: (server.address() as { port: number }).port }));
process.on('disconnect', () => process.exit(0));

const nowMs = () => performance.timeOrigin + performance.now();

async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const body = await text(request);
  if (request.url === '/log') return send(response, 200, calls);
  if (request.url === '/mode') {
    mode = JSON.parse(body) as typeof mode;
    return send(response, 200, {});
  }
  if (key !== '' && request.headers.authorization !== `Bearer ${key}`)
    return send(response, 401, wrong('Incorrect API key provided', 'invalid_api_key'));
  if (request.url === '/v1/models' && mode === null) return send(response, 200, { object: 'list', data: [] });
  if (request.url === '/v1/models') return await act(request, response, mode?.prompt ?? '', '');
  if (request.url !== '/v1/chat/completions') return send(response, 404, wrong('Not found', 'not_found'));
  await complete(request, response, JSON.parse(body) as Record<string, unknown>);
}

async function complete(request: IncomingMessage, response: ServerResponse, body: Record<string, unknown>) {
  const prompt = promptOf(body);
  const call: LoggedCall = {
    prompt,
    body,
    headers: request.headers,
    connection: connections.get(request.socket) ?? 0,
    startedMs: nowMs(),
    endedMs: null,
    aborted: false,
  };
  calls.push(call);
  response.on('close', () => {
    call.endedMs = nowMs();
    call.aborted = !response.writableFinished;
  });
  await act(request, response, mode?.prompt ?? prompt, String(body['model']));
}

async function act(request: IncomingMessage, response: ServerResponse, prompt: string, model: string): Promise<void> {
  const [verb, argument = ''] = prompt.split(' ');
  const rest = prompt.split(' ').slice(2).join(' ');
  if (verb === 'wait') {
    await sleep(Number(argument));
    return await act(request, response, rest, model);
  }
  if (verb === 'break') return void request.socket.destroy();
  if (verb === 'status') return send(response, Number(argument), refusalOf(rest), mode?.headers);
  const completion = completionOf(prompt.replace(/^say /, ''), model);
  if (verb === 'empty') return send(response, 200, { ...completion, choices: [] });
  if (verb === 'flood') return send(response, 200, completionOf('x'.repeat(2 << 20), model));
  if (verb === 'filter') return send(response, 200, withReason(completion, 'content_filter'));
  if (verb !== 'cut') return send(response, 200, completion);
  response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(completion).slice(0, 60));
}

function promptOf(body: Record<string, unknown>): string {
  const messages = body['messages'] as { content: string | { type: string; text?: string }[] }[];
  const content = messages.at(-1)?.content ?? '';
  return typeof content === 'string' ? content : (content.find(({ type }) => type === 'text')?.text ?? '');
}

/** `code message`, or nothing. */
function refusalOf(words: string): object {
  const [code = 'error', ...message] = words.split(' ');
  return wrong(message.join(' ') || 'told to', code);
}

function wrong(message: string, code: string): object {
  return { error: { message, type: 'invalid_request_error', param: null, code } };
}

function completionOf(content: string, model: string) {
  return {
    id: 'chatcmpl-1',
    object: 'chat.completion',
    created: Math.floor(Date.now() / 1000),
    model,
    choices: [
      { index: 0, message: { role: 'assistant', content, refusal: null }, logprobs: null, finish_reason: 'stop' },
    ],
    usage: { prompt_tokens: 100, completion_tokens: 7, total_tokens: 107 },
  };
}

function withReason(completion: ReturnType<typeof completionOf>, reason: string) {
  return { ...completion, choices: completion.choices.map((choice) => ({ ...choice, finish_reason: reason })) };
}

function send(response: ServerResponse, status: number, value: unknown, headers: Record<string, string> = {}): void {
  response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(value));
}
