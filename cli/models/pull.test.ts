/** `models pull` as a process, against a server that speaks the Hub's API: what it takes, checks, resumes and refuses. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, afterEach, before, beforeEach, describe, it } from 'node:test';
import { promisify } from 'node:util';
import { scanRepository } from '../../models/repository/scan-repository.ts';
import { verifyFiles } from '../../models/repository/verify-files.ts';
import { message, node, onnxModel, outsideTensor } from '../../models/testing/onnx-bytes.ts';
import { waitUntil } from '../../shared/testing/wait-until.ts';
import { root } from '../commands/run-tool.ts';
import { type HubRepository, HubServer } from './testing/hub-server.ts';
import { runModels, startModels } from './testing/run-models.ts';

const config = JSON.stringify({ architectures: ['BertForTokenClassification'] });
/** A valid graph with so many bytes of weights. */
const graph = (weightBytes: number, fill = 1) =>
  onnxModel({ graph: [[5, message([9, Buffer.alloc(weightBytes, fill)])]] });
const name = 'org/bert-NER';

describe('models pull from the Hub', () => {
  let hub: HubServer;
  let dir: string;
  let env: Record<string, string>;
  let repository: HubRepository;
  before(async () => {
    hub = await HubServer.start();
  });
  after(() => hub.stop());
  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), 'millrace-pull-'));
    env = { MODELS_DIR: join(dir, 'home'), HF_HOME: join(dir, 'hf'), HF_ENDPOINT: hub.url };
    hub.downloads.length = 0;
    hub.repositories.clear();
    repository = {
      commit: 'a'.repeat(40),
      pipelineTag: 'token-classification',
      tags: ['onnx', 'license:apache-2.0'],
      files: {
        'README.md': '# A card',
        'config.json': config,
        'tokenizer.json': JSON.stringify({ filler: 'x'.repeat(5000) }),
        'model.safetensors': Buffer.alloc(5000),
        'pytorch_model.bin.index.json': '{}',
        'onnx/model.onnx': onnxModel({ graph: [[5, outsideTensor('model.onnx_data')]] }),
        'onnx/model.onnx_data': Buffer.alloc(3000, 7),
        'onnx/model_quantized.onnx': graph(300_000),
        'onnx/model_fp16.onnx': graph(2000),
        'openvino/openvino_model.bin': Buffer.alloc(2000),
      },
    };
    hub.repositories.set(name, repository);
  });
  afterEach(() => {
    const { cuts, corrupt, missing, stalls } = hub.faults;
    for (const faults of [cuts, corrupt, missing, stalls]) faults.clear();
    rmSync(dir, { recursive: true, force: true });
  });

  const pull = (...args: string[]) => runModels(['pull', ...args], env);
  const home = (...path: string[]) => join(dir, 'home', ...path);
  const blobsFolder = () => join(dir, 'hf/hub/models--org--bert-NER/blobs');
  const blobs = () => readdirSync(blobsFolder());
  /** Of the file that is being fetched; throws while there is none. */
  const partialBytes = () =>
    statSync(join(blobsFolder(), blobs().find((blob) => blob.endsWith('.incomplete')) ?? 'none')).size;

  it('takes what the dtype needs and nothing else, checked, with a manifest that the repository serves', async () => {
    const ran = await pull(name, '--dtype', 'q8', '--as', 'ner');
    assert.equal(ran.code, 0, ran.err);
    assert.match(ran.out, /^ner: version 1, token-classification, q8, in .*home\/ner\/1$/m);
    const taken = ['README.md', 'config.json', 'onnx', 'onnx/model_quantized.onnx', 'tokenizer.json'];
    assert.deepEqual((readdirSync(home('ner/1'), { recursive: true }) as string[]).sort(), taken);
    const { models, broken } = await scanRepository([home()]);
    assert.deepEqual(broken, []);
    const [model] = models;
    assert.ok(model);
    assert.deepEqual(
      [model.licence, model.source, model.card, Object.keys(model.sha256).length],
      ['apache-2.0', `hf:${name}@${'a'.repeat(40)}`, '1/README.md', 4],
    );
    await verifyFiles(model);
    assert.equal(statSync(home('ner')).mode & 0o777, 0o755, 'workers of another user can read it');
    assert.deepEqual(readdirSync(home()), ['ner'], 'nothing is left beside it');
  });

  it('takes fp32 with its external data when nobody asks for another', async () => {
    const ran = await pull(name, '--json');
    assert.equal(ran.code, 0, ran.err);
    assert.equal((JSON.parse(ran.out) as { dtype: string }).dtype, 'fp32');
    assert.deepEqual(readdirSync(home('bert-NER/1/onnx')), ['model.onnx', 'model.onnx_data']);
  });

  it('goes on where a connection was cut', async () => {
    hub.faults.cuts.set('onnx/model_quantized.onnx', [100_000]);
    hub.faults.kept = () => partialBytes();
    const ran = await pull(name, '--dtype', 'q8');
    assert.equal(ran.code, 0, ran.err);
    const tries = hub.downloads.filter((line) => line.startsWith('onnx/model_quantized.onnx'));
    assert.match(tries.join(', '), /^onnx\/model_quantized\.onnx whole, onnx\/model_quantized\.onnx bytes=100000-\d+$/);
  });

  it('goes on where a process was killed', async () => {
    hub.faults.stalls.set('onnx/model_quantized.onnx', 150_000);
    const { child, ended } = startModels(['pull', name, '--dtype', 'q8'], env);
    await waitUntil('half of it is there', () => partialBytes() === 150_000);
    child.kill('SIGKILL');
    await ended;
    hub.faults.stalls.clear();
    assert.ok(!readdirSync(dir).includes('home') || !readdirSync(home()).includes('bert-NER'));
    const ran = await pull(name, '--dtype', 'q8');
    assert.equal(ran.code, 0, ran.err);
    assert.match(hub.downloads.findLast((line) => line.startsWith('onnx/model_q')) ?? '', /bytes=150000-/);
    assert.ok(blobs().every((blob) => !blob.endsWith('.incomplete')));
  });

  it('fetches a spoilt file once more, and refuses one that stays wrong; nothing is installed', async () => {
    hub.faults.corrupt.set('onnx/model_quantized.onnx', 1);
    assert.equal((await pull(name, '--dtype', 'q8')).code, 0);
    repository.files['onnx/model_fp16.onnx'] = graph(2000, 9);
    hub.faults.corrupt.set('onnx/model_fp16.onnx', 9);
    const ran = await pull(name, '--dtype', 'fp16', '--as', 'other');
    assert.equal(ran.code, 1);
    assert.match(
      ran.err,
      /onnx\/model_fp16\.onnx came twice with a wrong digest: [0-9a-f]{64}, the Hub says [0-9a-f]{64}/,
    );
    assert.deepEqual(readdirSync(home()), ['bert-NER']);
  });

  it('names a file that is listed but not there', async () => {
    hub.faults.missing.add('tokenizer.json');
    const ran = await pull(name);
    assert.equal(ran.code, 1);
    assert.match(ran.err, /org\/bert-NER lists tokenizer\.json, but the Hub does not have it/);
  });

  it('says what is there when the dtype is not, and its command works', async () => {
    const ran = await pull(name, '--dtype', 'q4');
    assert.equal(ran.code, 1);
    assert.match(
      ran.err,
      /no graph in q4\. It has fp32 \(model\.onnx\), fp16 \(model_fp16\.onnx\), q8 \(model_quantized\.onnx\)/,
    );
    const fix = /fix: npm run models -- (.*)/.exec(ran.err)?.[1] ?? '';
    assert.equal((await runModels(fix.split(' '), env)).code, 0);
  });

  it('leads to the nearest name, to a token, and to an exporter', async () => {
    const wrong = await pull('org/bert-NRE');
    assert.match(wrong.err, /The Hub has no model org\/bert-NRE at revision "main"\. Did you mean org\/bert-NER\?/);
    assert.match(wrong.err, /fix: npm run models -- pull org\/bert-NER$/m);
    assert.match((await pull(name, '--revision', 'v9')).err, /no model org\/bert-NER at revision "v9"/);
    hub.repositories.set('private/ner', { ...repository, token: 'hf_right' });
    assert.match((await pull('private/ner')).err, /does not show private\/ner \(401\).*no token is set.*set HF_TOKEN/);
    env['HF_TOKEN'] = 'hf_wrong';
    assert.match((await pull('private/ner')).err, /the token that is set does not open it/);
    env['HF_TOKEN'] = 'wrong';
    assert.match((await pull('private/ner')).err, /HF_TOKEN is no token of the Hub/);
    env['HF_TOKEN'] = 'hf_right';
    assert.equal((await pull('private/ner')).code, 0);
    hub.repositories.set('org/torch', {
      commit: 'b'.repeat(40),
      files: { 'config.json': config, 'model.safetensors': '' },
    });
    assert.match(
      (await pull('org/torch')).err,
      /model\.safetensors holds weights for PyTorch.*\n\s+fix: optimum-cli export onnx --model org\/torch/,
    );
    env['HF_ENDPOINT'] = 'http://127.0.0.1:1';
    assert.match((await pull(name)).err, /127\.0\.0\.1:1 does not answer .*HF_ENDPOINT names a mirror/);
    assert.match((await pull('bert')).err, /"bert" is no source\. Name a model of the Hub as org\/name/);
  });

  it('takes from the cache what is there, and adds a new commit as the next version of the same model', async () => {
    assert.equal((await pull(name, '--dtype', 'q8', '--as', 'ner')).code, 0);
    hub.downloads.length = 0;
    const again = await pull(name, '--dtype', 'q8', '--as', 'ner');
    assert.match(again.err, /ner has hf:org\/bert-NER@a{40} in q8 already, as version 1/);
    assert.equal((await pull(name, '--dtype', 'q8', '--as', 'twin')).code, 0);
    assert.deepEqual(hub.downloads, [], 'all from the cache');
    const manifest = readFileSync(home('ner/manifest.yaml'), 'utf8');
    writeFileSync(home('ner/manifest.yaml'), `# mine\nlimits: { text_tokens_max: 64 } # short\n${manifest}`);
    repository.commit = 'c'.repeat(40);
    repository.files['onnx/model_quantized.onnx'] = graph(4000);
    const updated = await pull(name, '--dtype', 'q8', '--as', 'ner');
    assert.match(updated.out, /^ner: version 2, /m);
    assert.match(
      readFileSync(home('ner/manifest.yaml'), 'utf8'),
      /# mine\nlimits: \{ text_tokens_max: 64 \} # short\n/,
    );
    const models = (await scanRepository([home()])).models.filter(({ id }) => id === 'ner');
    assert.deepEqual(
      models.map(({ version, source }) => [version, source]),
      [['2', `hf:${name}@${'c'.repeat(40)}`]],
    );
    assert.deepEqual(readdirSync(home('ner')).sort(), ['1', '2', 'manifest.yaml']);
    for (const model of models) await verifyFiles(model);
  });

  it('installs nothing that no lane would load, and takes no id of another folder', async () => {
    const files = { 'config.json': config, 'onnx/model.onnx': onnxModel({ graph: [[1, node('Steal', 'evil.ops')]] }) };
    hub.repositories.set('org/evil', { commit: 'd'.repeat(40), files });
    assert.match((await pull('org/evil')).err, /custom operator evil\.ops\.Steal/);
    assert.deepEqual(readdirSync(home()), []);
    const taken = await pull(name, '--as', 'starter-ner-groceries');
    assert.match(taken.err, /already has a model "starter-ner-groceries"\. Choose another id with --as/);
    assert.match((await pull(name, '--as', 'a/b')).err, /"a\/b" can not be an id/);
  });

  it('takes graphs that lie beside config.json, as older exports have them', async () => {
    const files = { 'config.json': config, 'model_quantized.onnx': graph(100), 'ort_config.json': '{}' };
    hub.repositories.set('org/flat', { commit: 'e'.repeat(40), files });
    assert.equal((await pull('org/flat')).code, 0);
    assert.deepEqual(readdirSync(home('flat/1/onnx')), ['model_quantized.onnx']);
  });

  it('shows progress on a terminal, and lines elsewhere', async () => {
    const lines = await pull(name, '--dtype', 'q8');
    assert.match(
      lines.err,
      /org\/bert-NER at aaaaaaaaaaaa: 4 files, 305 kB, q8\n[\s\S]*onnx\/model_quantized\.onnx {2}300 kB\n/,
    );
    assert.ok(!lines.err.includes('\u001b'));
    const command = `${process.execPath} ${join(root, 'cli/bootstrap.mjs')} models pull ${name} --as second`;
    const options = { env: { ...process.env, MILLRACE_SET_UP: '1', TERM: 'xterm', ...env }, encoding: 'utf8' } as const;
    const { stdout: seen } = await promisify(execFile)('script', ['-qec', command, '/dev/null'], options);
    assert.match(seen, /onnx\/model\.onnx_data.*100%/);
  });
});
