/** Chat completions as servers speak them: what goes out, and what is made of what comes back, right or wrong. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { toUpstream, type Upstream, upstreamSchema } from '../repository/upstream.ts';
import { judgeCheck, readRefusal } from './read-refusal.ts';
import { readReply } from './read-reply.ts';
import { renderRequest } from './request-body.ts';

const upstream = (words: object = {}): Upstream =>
  toUpstream(upstreamSchema.parse({ kind: 'openai-chat', url: 'http://vllm:8000', model: 'qwen', ...words }));

describe('a request', () => {
  const question = { prompt: 'what?', temperature: 0 };

  it('has the picture before the words, and no field that nobody asked for', () => {
    const image = { type: 'image/jpeg', bytes: Uint8Array.of(255, 216, 255) } as const;
    assert.deepEqual(JSON.parse(renderRequest({ ...question, image }, upstream())), {
      model: 'qwen',
      messages: [
        {
          role: 'user',
          content: [
            { type: 'image_url', image_url: { url: 'data:image/jpeg;base64,/9j/' } },
            { type: 'text', text: 'what?' },
          ],
        },
      ],
      stream: false,
      temperature: 0,
    });
  });

  it('takes fields of the manifest in, puts them in place of ours, and leaves out what is null there', () => {
    const body = { max_completion_tokens: 9, temperature: null, seed: 5 };
    const { messages, ...rest } = JSON.parse(
      renderRequest({ ...question, system: 'be brief', seed: 1, topK: 4 }, upstream({ body })),
    ) as { messages: unknown[] };
    assert.deepEqual(rest, { model: 'qwen', stream: false, top_k: 4, max_completion_tokens: 9, seed: 5 });
    assert.deepEqual(messages[0], { role: 'system', content: 'be brief' });
  });
});

describe('a reply', () => {
  const reply = (message: object, more: object = {}, usage?: object) =>
    readReply(JSON.stringify({ choices: [{ index: 0, message, finish_reason: 'stop', ...more }], usage }));

  it('gives text, reason and counts', () => {
    const usage = { prompt_tokens: 9, completion_tokens: 2, total_tokens: 11, prompt_tokens_details: null };
    assert.deepEqual(reply({ role: 'assistant', content: 'a cat' }, { finish_reason: 'length' }, usage), {
      answer: { text: 'a cat', reason: 'length', usage: { promptTokens: 9, completionTokens: 2 } },
    });
    assert.deepEqual(reply({ content: '' }, { finish_reason: 'abort' }), {
      answer: { text: '', reason: null, usage: null },
    });
  });

  it('leaves out what the model thought aloud', () => {
    const read = reply({ content: 'hmm, a cat?</think>\n\na dog' });
    assert.equal('answer' in read && read.answer.text, 'a dog');
  });

  it('is a refusal where the filter or the model itself refused', () => {
    for (const read of [reply({ content: '' }, { finish_reason: 'content_filter' }), reply({ refusal: 'I can not' })])
      assert.equal('problem' in read && read.problem.slug, 'content-refused');
  });

  it('is malformed, by a place and never by what stands there, when it is anything else', () => {
    for (const [body, where] of [
      ['<html>', /not JSON/],
      ['{"choices":[{"message":{"content":"a secr', /not JSON, or is cut off/],
      ['[]', /its body/],
      ['{"choices":[]}', /^choices: /],
      ['{"choices":[{"message":{"content":["secret"]}}]}', /^choices\.0\.message\.content: /],
      ['{"choices":[{"message":{"content":null}}]}', /content is no text/],
    ] as const) {
      const read = readReply(body);
      assert.ok('malformed' in read, body);
      assert.match(read.malformed, where);
      assert.doesNotMatch(read.malformed, /secr/);
    }
  });
});

describe('an answer other than 200', () => {
  const kindOf = (status: number, error: object = {}) => readRefusal(status, JSON.stringify({ error })).kind;
  const problemOf = (status: number, body: object) => {
    const refusal = readRefusal(status, JSON.stringify(body));
    return refusal.kind === 'item' ? refusal.problem : assert.fail(refusal.kind);
  };

  it('says by its status whose fault it is', () => {
    assert.deepEqual(
      [429, 503].map((status) => kindOf(status)),
      ['busy', 'busy'],
    );
    assert.deepEqual(
      [502, 504].map((status) => kindOf(status)),
      ['away', 'away'],
    );
    assert.deepEqual(
      [500, 408, 520].map((status) => kindOf(status)),
      ['faulty', 'faulty', 'faulty'],
    );
    assert.deepEqual(
      [400, 413, 422].map((status) => kindOf(status)),
      ['item', 'item', 'item'],
    );
    assert.deepEqual(
      [301, 401, 402, 403, 404].map((status) => kindOf(status)),
      Array(5).fill('denied'),
    );
  });

  it('blames the model and not the item where the name of the model is wrong', () => {
    assert.equal(kindOf(400, { code: 'model_not_found' }), 'denied');
    assert.equal(kindOf(400, { message: "Invalid model name passed in model=x. Call '/v1/models'" }), 'denied');
    assert.equal(readRefusal(400, `{"detail": "Server is pinned to '/tiny'; requested 'nope'."}`).kind, 'denied');
    assert.equal(readRefusal(404, '{"object":"error","message":"The model `x` does not exist."}').kind, 'denied');
  });

  it('tells what too long, too large and forbidden are, in the words of several servers', () => {
    const cases = [
      [400, { error: { message: "This model's maximum context length is 4096 tokens." } }, 'input-too-long'],
      [400, { error: { type: 'exceed_context_size_error', message: 'the request exceeds it' } }, 'input-too-long'],
      [
        400,
        {
          object: 'error',
          message: 'image item with length 4200, which exceeds the encoder cache size 3721',
          code: 400,
        },
        'input-too-long',
      ],
      [413, {}, 'image-too-large'],
      [400, { error: { message: 'Image exceeds the maximum size of 20 MB' } }, 'image-too-large'],
      [
        400,
        { error: { code: 'content_filter', innererror: { code: 'ResponsibleAIPolicyViolation' } } },
        'content-refused',
      ],
      [400, { error: { message: 'blocked by our content policy' } }, 'content-refused'],
      [422, { detail: "Unexpected fields in the request: {'top_k'}" }, 'inference-failed'],
    ] as const;
    for (const [status, body, slug] of cases) assert.equal(problemOf(status, body).slug, slug, JSON.stringify(body));
  });

  it('quotes a short line of it to the caller, without data URIs', () => {
    const { detail } = problemOf(422, {
      detail: `bad\nfield: data:image/jpeg;base64,${'A'.repeat(5000)} ${'x '.repeat(400)}`,
    });
    assert.match(detail, /^The server that runs the model answered 422: bad field: data:image\/jpeg;base64,… x x/);
    assert.ok(detail.length < 300);
  });

  it('of a list of models, is well where there is no such list', () => {
    assert.deepEqual(
      [200, 404, 405].map((status) => judgeCheck(status, '')),
      [null, null, null],
    );
    assert.equal(judgeCheck(401, '')?.kind, 'denied');
    assert.equal(judgeCheck(503, '')?.kind, 'busy');
  });
});

describe('the URL of an upstream', () => {
  it('is what OpenAI clients call base_url, and an origin alone gets /v1', () => {
    const base = (url: string) => upstream({ url }).url;
    assert.equal(base('http://vllm:8000'), 'http://vllm:8000/v1');
    assert.equal(base('http://vllm:8000/'), 'http://vllm:8000/v1');
    assert.equal(base('https://openrouter.ai/api/v1/'), 'https://openrouter.ai/api/v1');
  });

  it('names no user, query or other protocol', () => {
    for (const url of ['http://me:secret@vllm/v1', 'http://vllm/v1?key=1', 'ftp://vllm', 'vllm:8000'])
      assert.throws(() => upstream({ url }), url);
  });
});
