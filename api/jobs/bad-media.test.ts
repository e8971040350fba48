/** The bad-input catalogue, rows 39 to 57: URLs and uploads, refused before 202, with nothing left on disk. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { readdir } from 'node:fs/promises';
import { connect } from 'node:net';
import { after, before, describe, it } from 'node:test';
import { type ProblemSlug, problemCatalogue } from '../../shared/problems/catalogue.ts';
import { startTestRedis, type TestRedis } from '../../shared/testing/redis.ts';
import { waitUntil } from '../../shared/testing/wait-until.ts';
import { pngBytes, wavBytes } from '../testing/media.ts';
import { formBody, rawRequest, sendRaw } from '../testing/raw-request.ts';
import { startTestApi, type TestApi } from '../testing/test-api.ts';

type File = { readonly bytes: Buffer; readonly name?: string; readonly filename?: string };

const urls: readonly (readonly [url: string, slug: ProblemSlug])[] = [
  ['file:///etc/hosts', 'unsupported-scheme'],
  ['data:image/png;base64,AAAA', 'unsupported-scheme'],
  ['gopher://example.com/', 'unsupported-scheme'],
  ['https://user:secret@example.com/x', 'invalid-url'],
  ['https://example.com:22/x', 'invalid-url'],
  [`https://example.com/${'x'.repeat(2050)}`, 'invalid-url'],
  ['not a url', 'invalid-url'],
  ...[
    '127.0.0.1',
    '0x7f.1',
    '2130706433',
    '①②⑦.0.0.1',
    '[::ffff:7f00:1]',
    'localhost.',
    '169.254.169.254',
    '100.64.0.1',
    '[64:ff9b::7f00:1]',
    '[::1]',
    '10.0.0.8',
  ].map((host) => [`http://${host}/x`, 'blocked-address'] as const),
];

const uploads: readonly (readonly [what: string, model: string, files: readonly File[], slug: ProblemSlug])[] = [
  ['51 no bytes', 'photos', [{ bytes: Buffer.alloc(0) }], 'empty-file'],
  ['53 HTML named .png', 'photos', [{ bytes: Buffer.from('<html>'), filename: 'a.png' }], 'unsupported-file-type'],
  ['53 SVG', 'photos', [{ bytes: Buffer.from('<svg xmlns="http://www.w3.org/2000/svg"/>') }], 'unsupported-file-type'],
  ['53 a program', 'photos', [{ bytes: Buffer.from('MZ\x90\x00') }], 'unsupported-file-type'],
  ['53 BMP', 'photos', [{ bytes: Buffer.from('BM\x00') }], 'unsupported-file-type'],
  ['53 four bytes of TIFF', 'photos', [{ bytes: Buffer.from('II*\x00') }], 'corrupt-image'],
  ['54 30k x 30k pixels', 'photos', [{ bytes: pngBytes(30_000, 30_000) }], 'image-too-large'],
  [
    '56 a playlist named .wav',
    'asr',
    [{ bytes: Buffer.from('#EXTM3U\nfile:///etc/hosts\n'), filename: 'a.wav' }],
    'corrupt-audio',
  ],
  ['56 ffconcat', 'asr', [{ bytes: Buffer.from("ffconcat version 1.0\nfile '/etc/hosts'\n") }], 'corrupt-audio'],
  ['57 61 s for a model that takes 60', 'asr', [{ bytes: wavBytes(61) }], 'audio-too-long'],
  ['57 64 channels', 'asr', [{ bytes: wavBytes(1, 64) }], 'audio-too-long'],
  ['audio for a model of images', 'photos', [{ bytes: wavBytes(1) }], 'unsupported-file-type'],
  ['a file for a model of texts', 'ner', [{ bytes: Buffer.from('milk') }], 'validation-failed'],
  ['49 a file under another name', 'photos', [{ bytes: pngBytes(1, 1), name: 'image' }], 'validation-failed'],
  ['49 a field name of 1 MB', 'photos', [{ bytes: pngBytes(1, 1), name: 'x'.repeat(2 ** 20) }], 'malformed-multipart'],
  ['49 an empty field name', 'photos', [{ bytes: pngBytes(1, 1), name: '' }], 'too-many-parts'],
  [
    '50 an image above the limit',
    'photos',
    [{ bytes: Buffer.concat([pngBytes(9, 9), randomBytes(21 * 2 ** 20)]) }],
    'payload-too-large',
  ],
];

describe('bad media', () => {
  let server: TestRedis;
  let api: TestApi;
  before(async () => {
    server = await startTestRedis();
    api = await startTestApi(server.url, { env: { MILLRACE_BODY_MAX_MIB: '24' } });
  });
  after(async () => {
    await api.close();
    await server.stop();
  });

  const json = (body: unknown) =>
    sendRaw(
      api.port,
      rawRequest({ method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(body) }),
    );
  const form = (fields: Record<string, string>, files: readonly File[]) => {
    const { type, bytes } = formBody(fields, files);
    return sendRaw(api.port, rawRequest({ method: 'POST', headers: { 'Content-Type': type }, body: bytes }));
  };
  const expectProblem = (answer: Awaited<ReturnType<typeof json>>, slug: ProblemSlug) => {
    assert.equal(answer.body['type'], `/problems/${slug}`, answer.text.slice(0, 300));
    assert.equal(answer.status, problemCatalogue[slug].status);
    assert.doesNotMatch(answer.text, /\/etc|incoming|secret/);
  };
  const untilClean = () =>
    waitUntil('no spooled file is left', async () => (await readdir(`${api.dataDir}/incoming`)).length === 0);

  for (const [url, slug] of urls) {
    it(`39-41 ${url.slice(0, 60)} as input and as webhook: ${slug}`, async () => {
      expectProblem(await json({ model: 'photos', input: { url } }), slug);
      expectProblem(await json({ model: 'ner', input: 'x', webhook: { url } }), slug);
    });
  }

  for (const [what, model, files, slug] of uploads) {
    it(`${what}: ${problemCatalogue[slug].status} ${slug}`, async () => {
      expectProblem(await form({ model }, files), slug);
      await untilClean();
    });
  }

  it('48 a form without boundary, and one that ends early: 400 malformed-multipart', async () => {
    const { type, bytes } = formBody({ model: 'photos' }, [{ bytes: pngBytes(5, 5) }]);
    const half = bytes.subarray(0, bytes.length - 60);
    for (const [contentType, body] of [
      ['multipart/form-data', bytes],
      [type, half],
    ] as const) {
      const wish = rawRequest({ method: 'POST', headers: { 'Content-Type': contentType }, body });
      expectProblem(await sendRaw(api.port, wish), 'malformed-multipart');
    }
    await untilClean();
  });

  it('48 a caller that hangs up in the middle leaves no file', async () => {
    const { type, bytes } = formBody({ model: 'photos' }, [{ bytes: randomBytes(2 ** 20) }]);
    const head = rawRequest({
      method: 'POST',
      headers: { 'Content-Type': type, 'Content-Length': String(bytes.length) },
    });
    for (let round = 0; round < 3; round++) {
      const socket = connect(api.port, '127.0.0.1');
      socket.write(head);
      socket.write(bytes.subarray(0, 2 ** 19));
      await waitUntil('the file has begun', async () => (await readdir(`${api.dataDir}/incoming`)).length > 0);
      socket.destroy();
      await untilClean();
    }
  });

  it('27 a boolean that is none, in a form: 422, as in JSON', async () => {
    expectProblem(await form({ model: 'ner', input: 'x', cancel_on_disconnect: 'yes' }, []), 'validation-failed');
    assert.equal((await form({ model: 'ner', input: 'x', cancel_on_disconnect: '0' }, [])).status, 202);
  });

  it('49 more fields than any job has: 400 too-many-parts', async () => {
    const fields = Object.fromEntries(Array.from({ length: 40 }, (_, n) => [`f${n}`, 'x']));
    expectProblem(await form({ model: 'photos', ...fields }, [{ bytes: pngBytes(1, 1) }]), 'too-many-parts');
  });

  it('50 a form above the limit, with and without a length: 413', async () => {
    const { type, bytes } = formBody({ model: 'photos' }, [{ bytes: randomBytes(25 * 2 ** 20) }]);
    expectProblem(
      await sendRaw(api.port, rawRequest({ method: 'POST', headers: { 'Content-Type': type }, body: bytes })),
      'payload-too-large',
    );
    const chunk = Buffer.concat([Buffer.from(`${bytes.length.toString(16)}\r\n`), bytes, Buffer.from('\r\n0\r\n\r\n')]);
    const head = rawRequest({ method: 'POST', headers: { 'Content-Type': type, 'Transfer-Encoding': 'chunked' } });
    expectProblem(await sendRaw(api.port, [head, chunk]), 'payload-too-large');
    await untilClean();
  });

  it('50 fields that pass the limit together, without a length: 413', async () => {
    const long = 'x'.repeat(7 * 2 ** 20);
    const { type, bytes } = formBody({ model: 'photos', a: long, b: long, c: long, d: long }, []);
    const chunk = Buffer.concat([Buffer.from(`${bytes.length.toString(16)}\r\n`), bytes, Buffer.from('\r\n0\r\n\r\n')]);
    const head = rawRequest({ method: 'POST', headers: { 'Content-Type': type, 'Transfer-Encoding': 'chunked' } });
    expectProblem(await sendRaw(api.port, [head, chunk]), 'payload-too-large');
  });

  it('blames the disk, not the form or the caller, when a file can not be written', async () => {
    const { blobs } = api.dependencies;
    const { spoolPath } = blobs;
    blobs.spoolPath = () => `${api.dataDir}/no/such/folder`;
    expectProblem(await form({ model: 'photos' }, [{ bytes: pngBytes(8, 8) }]), 'internal-error');
    blobs.spoolPath = spoolPath;
    const { store } = blobs;
    blobs.store = () => Promise.reject(Object.assign(new Error('disk full'), { code: 'ENOSPC' }));
    const answer = await json({ model: 'photos', input: { data: pngBytes(8, 8).toString('base64') } });
    blobs.store = store;
    expectProblem(answer, 'overloaded');
    assert.match(answer.headers['retry-after'] ?? '', /^\d+$/);
  });

  it('52 a path as file name changes nothing: 202', async () => {
    const answer = await form({ model: 'photos' }, [{ bytes: pngBytes(8, 8), filename: '../../x.png' }]);
    assert.equal(answer.status, 202, answer.text);
  });

  it('refuses data that is no base64, and takes base64, base64url and data URIs', async () => {
    const png = pngBytes(8, 8);
    for (const data of ['%%%', 'abc=d', 'data:image/png,raw', 'A']) {
      expectProblem(await json({ model: 'photos', input: { data } }), 'invalid-base64');
    }
    expectProblem(await json({ model: 'photos', input: { data: '' } }), 'empty-file');
    expectProblem(await json({ model: 'photos', input: 'a plain text' }), 'validation-failed');
    for (const data of [
      png.toString('base64'),
      png.toString('base64url'),
      `data:text/plain;base64,${png.toString('base64')}`,
    ]) {
      const answer = await json({ model: 'photos', input: { data } });
      assert.equal(answer.status, 202, answer.text);
    }
  });

  it('keeps the files of accepted jobs only: each in its own folder, gone when the job is erased', async () => {
    const answer = await form({ model: 'photos' }, [{ bytes: pngBytes(8, 8) }, { bytes: pngBytes(9, 9) }]);
    assert.equal(answer.status, 202, answer.text);
    const id = String(answer.body['id']);
    const files = async () =>
      (await readdir(`${api.dataDir}/blobs`, { recursive: true })).filter((path) => path.includes(`${id}/`));
    assert.equal((await files()).length, 2);
    await fetch(`${api.url}/v1/jobs/${id}`, { method: 'DELETE' });
    assert.equal((await files()).length, 0);
    await untilClean();
  });
});
