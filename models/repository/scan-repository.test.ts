import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { scanRepository } from './scan-repository.ts';

const nerConfig = JSON.stringify({ architectures: ['BertForTokenClassification'] });
const manifest = 'task: token-classification\n';

describe('scanning model directories', () => {
  let zoo: string;
  beforeEach(async () => {
    zoo = await mkdtemp(join(tmpdir(), 'zoo-'));
  });
  afterEach(() => rm(zoo, { recursive: true }));

  const lay = async (files: Record<string, string>, root = zoo) => {
    for (const [path, text] of Object.entries(files)) {
      await mkdir(dirname(join(root, path)), { recursive: true });
      await writeFile(join(root, path), text);
    }
  };
  const scan = () => scanRepository([zoo]);
  const reasonOf = async (id: string) => (await scan()).broken.find((model) => model.id === id)?.reason ?? '';

  const fixOf = async (id: string) => (await scan()).broken.find((model) => model.id === id)?.fix ?? null;

  it('reads a manifest with a version folder', async () => {
    await lay({
      'ner/manifest.yaml': `${manifest}default: true\nlicence: Apache-2.0\nlimits: {text_tokens_max: 64}\nparameters: {offsets: utf-16}\n`,
      'ner/1/config.json': nerConfig,
      'ner/1/onnx/model.onnx': '',
    });
    const { models, broken } = await scan();
    assert.deepEqual(broken, []);
    assert.equal(models.length, 1);
    const [model] = models;
    assert.equal(model?.versionFolder, join(zoo, 'ner', '1'));
    assert.deepEqual([model?.isDefault, model?.licence, model?.dtype], [true, 'Apache-2.0', 'fp32']);
    assert.deepEqual([model?.limits, model?.parameters], [{ textTokensMax: 64 }, { offsets: 'utf-16' }]);
  });

  it('takes a bare Hub folder as version 1 and infers its task', async () => {
    await lay({ 'bare/config.json': nerConfig, 'bare/onnx/model_quantized.onnx': '' });
    await lay({ 'vec/config.json': '{"architectures":["BertModel"]}', 'vec/onnx/model.onnx': '' });
    await lay({ 'vec/onnx/model_quantized.onnx': '', 'asr/config.json': '{"architectures":["Wav2Vec2ForCTC"]}' });
    await lay({ 'asr/onnx/model_fp16.onnx': '' });
    const { models } = await scan();
    assert.deepEqual(
      models.map((model) => [model.id, model.task, model.version, model.dtype]),
      [
        ['asr', 'automatic-speech-recognition', '1', 'fp16'],
        ['bare', 'token-classification', '1', 'q8'],
        ['vec', 'feature-extraction', '1', 'fp32'],
      ],
    );
    assert.deepEqual(
      models.filter(({ isAwaited }) => isAwaited).map(({ id }) => id),
      ['asr'],
      'whose task runs at high priority by default',
    );
  });

  it('serves the highest version by default, all or some when told', async () => {
    const versions = ['2', '10', '9'];
    for (const version of versions)
      await lay({ [`ner/${version}/config.json`]: nerConfig, [`ner/${version}/onnx/model.onnx`]: '' });
    const served = async (policy: string) => {
      await lay({ 'ner/manifest.yaml': manifest + policy });
      return (await scan()).models.map((model) => model.version);
    };
    assert.deepEqual(await served(''), ['10']);
    assert.deepEqual(await served('version_policy: all'), ['10', '9', '2']);
    assert.deepEqual(await served('version_policy: [2, "9"]'), ['9', '2']);
    await lay({ 'ner/manifest.yaml': `${manifest}version_policy: [3]` });
    assert.match(await reasonOf('ner'), /version_policy names 3, which is not there; found 10, 9, 2/);
  });

  it('says what is wrong with a manifest and what was probably meant', async () => {
    await lay({ 'a/manifest.yaml': 'task: token-clasification', 'b/manifest.yaml': `${manifest}lisence: MIT` });
    await lay({ 'c/manifest.yaml': `${manifest}dtype: q8`, 'c/1/config.json': nerConfig, 'c/1/onnx/model.onnx': '' });
    await lay({ 'd/manifest.yaml': 'task: [', 'e/manifest.yaml': `${manifest}parameters: {top_k: 1}` });
    assert.match(await reasonOf('a'), /did you mean "token-classification"\?/);
    assert.match(await reasonOf('b'), /unknown key "lisence"; did you mean "licence"\?/);
    assert.match(
      await reasonOf('c'),
      /dtype q8 needs onnx\/model_quantized\.onnx; onnx\/ has model\.onnx, which is fp32/,
    );
    assert.match((await fixOf('c')) ?? '', /^sed -i 's\/\^dtype: \.\*\/dtype: fp32\/' \S+\/c\/manifest\.yaml$/);
    assert.match(await reasonOf('d'), /not YAML/);
    assert.match(await reasonOf('e'), /parameters do not fit token-classification/);
  });

  it('takes a sample with an expectation, or with the texts to compare its vector with, but not both or neither', async () => {
    const reasonFor = async (sample: string) => {
      await lay({ 'ner/manifest.yaml': `${manifest}samples: [{ input: a, ${sample} }]\n` });
      await lay({ 'ner/1/config.json': nerConfig, 'ner/1/onnx/model.onnx': '' });
      return reasonOf('ner');
    };
    assert.equal(await reasonFor('expect: [1]'), '');
    assert.equal(await reasonFor('nearest: { among: [b, c], expect: b }'), '');
    assert.deepEqual((await scan()).models[0]?.samples, [{ input: 'a', nearest: { among: ['b', 'c'], expect: 'b' } }]);
    assert.match(
      await reasonFor('nearest: { among: [b, c], expect: d }'),
      /samples\.0: nearest\.expect must be one of/,
    );
    assert.match(await reasonFor('expect: 1, nearest: { among: [b, c], expect: b }'), /needs `expect` or `nearest`/);
  });

  it('says what a folder lacks', async () => {
    await lay({
      'empty/README.md': '',
      'no-onnx/config.json': nerConfig,
      'lfs/config.json': 'version https://git-lfs',
    });
    await lay({ 'gpt/config.json': '{"architectures":["GPT2LMHeadModel2"]}', 'bad name/config.json': nerConfig });
    assert.match(await reasonOf('empty'), /Expected manifest\.yaml .* found README\.md/);
    assert.match(await reasonOf('no-onnx'), /No onnx\/ folder/);
    await lay({ 'no-config/onnx/model.onnx': '', 'no-config/tokenizer.json': '' });
    assert.match(await reasonOf('no-config'), /No config\.json beside onnx\/; found onnx, tokenizer\.json/);
    await lay({ 'half/config.json': nerConfig, 'half/onnx/encoder_model.onnx': '' });
    assert.match(await reasonOf('half'), /has encoder_model\.onnx, but not decoder_/);
    assert.match(await reasonOf('lfs'), /Git LFS pointer/);
    assert.match(await reasonOf('gpt'), /no task follows.*Write a manifest\.yaml/);
    assert.match(await reasonOf('bad name'), /rename "bad name"/);
  });

  it('gives a command that mends each wrong layout, and it does', async () => {
    await lay({ 'yml/manifest.yml': manifest, 'yml/1/config.json': nerConfig, 'yml/1/onnx/model.onnx': '' });
    await lay({ 'misnamed/config.json': nerConfig, 'misnamed/onnx/net.onnx': '' });
    await lay({ 'typo/config.json': nerConfig, 'typo/onnx/model_quantised.onnx': '' });
    await lay({ "it's flat/config.json": nerConfig, "it's flat/model.onnx": '' });
    await lay({ 'nested/bert/config.json': nerConfig, 'nested/bert/onnx/model.onnx': '' });
    await lay({ 'dtype/manifest.yaml': `${manifest}dtype: fp16\n`, 'dtype/1/config.json': nerConfig });
    await lay({ 'dtype/1/onnx/model_quantized.onnx': '' });
    assert.match(
      await reasonOf('misnamed'),
      /no graph that is called model\.onnx.*found net\.onnx.*rename it to model\.onnx/,
    );
    assert.match(await reasonOf('typo'), /rename it to model_quantized\.onnx/);
    assert.match(await reasonOf('nested'), /one folder down, in bert\//);
    // Twice: of two faults the first is told.
    for (const round of [1, 2])
      for (const { id, fix } of (await scan()).broken) {
        assert.ok(fix, `${id}, round ${round}`);
        execFileSync('sh', ['-c', fix]);
      }
    assert.deepEqual(
      (await scan()).models.map(({ id, dtype }) => `${id} ${dtype}`),
      ['dtype q8', 'it-s-flat fp32', 'misnamed fp32', 'nested fp32', 'typo q8', 'yml fp32'],
    );
  });

  it('tells what only an exporter can mend: weights for PyTorch', async () => {
    await lay({ 'torch/config.json': nerConfig, 'torch/model.safetensors': '' });
    assert.match(await reasonOf('torch'), /model\.safetensors holds weights for PyTorch/);
    assert.match((await fixOf('torch')) ?? '', /^optimum-cli export onnx/);
  });

  it('serves the versions that can be read, and names those that can not', async () => {
    await lay({ 'ner/manifest.yaml': `${manifest}version_policy: all\n`, 'ner/2/README.md': '' });
    await lay({ 'ner/1/config.json': nerConfig, 'ner/1/onnx/model.onnx': '' });
    const { models, broken } = await scan();
    assert.deepEqual(
      models.map(({ version }) => version),
      ['1'],
    );
    assert.deepEqual(
      broken.map(({ id, reason }) => [id, reason]),
      [['ner@2', 'No config.json in 2/; found README.md.']],
    );
  });

  it('gives a version another revision when its files change, or what the manifest says of how it runs', async () => {
    await lay({ 'ner/manifest.yaml': manifest, 'ner/1/config.json': nerConfig, 'ner/1/onnx/model.onnx': '' });
    const revision = async () => (await scan()).models[0]?.revision;
    const first = await revision();
    assert.equal(await revision(), first);
    await lay({ 'ner/manifest.yaml': `${manifest}description: other words\n` });
    assert.equal(await revision(), first);
    await lay({ 'ner/1/onnx/model.onnx': 'other' });
    const second = await revision();
    assert.notEqual(second, first);
    await lay({ 'ner/manifest.yaml': `${manifest}warm_up: [1, 8]\n` });
    assert.notEqual(await revision(), second);
  });

  it('reads where the model is from, its card, and the hashes of its own version', async () => {
    const hash = (digit: string) => `{sha256: ${digit.repeat(64)}}`;
    await lay({
      'ner/manifest.yaml': `${manifest}card: CARD.md\nsource: hf:org/ner@abc\ncustom_op_domains: [my.ops]\nfiles: {1/a: ${hash('a')}, 2/a: ${hash('b')}, vocab: ${hash('c')}}\n`,
      'ner/2/config.json': nerConfig,
      'ner/2/onnx/model.onnx': '',
      'ner/CARD.md': '',
    });
    const [model] = (await scan()).models;
    assert.deepEqual([model?.card, model?.source, model?.customOpDomains], ['CARD.md', 'hf:org/ner@abc', ['my.ops']]);
    assert.deepEqual(Object.keys(model?.sha256 ?? {}), ['2/a', 'vocab']);
    await rm(join(zoo, 'ner/CARD.md'));
    assert.match(await reasonOf('ner'), /card: there is no CARD\.md/);
  });

  it('reads a sample as the task would take it, and refuses one that it would not', async () => {
    const ranking = 'task: text-ranking\nsamples: [{input: {query: q, documents: [{text: a}]}, expect: [{index: 0}]}]';
    await lay({ 'rank/manifest.yaml': ranking, 'rank/1/config.json': '{}', 'rank/1/onnx/model.onnx': '' });
    const object = `${manifest}samples: [{input: {query: q}, expect: []}]`;
    await lay({ 'ner/manifest.yaml': object, 'ner/1/config.json': nerConfig, 'ner/1/onnx/model.onnx': '' });
    const sample = { input: { value: { query: 'q', documents: ['a'] } }, expect: [{ index: 0 }] };
    assert.deepEqual((await scan()).models[0]?.samples, [sample]);
    assert.match(await reasonOf('ner'), /samples\.0\.input: token-classification takes a text or \{file: \.\.\.\}/);
  });

  it('lets earlier directories win ids and defaults', async () => {
    const second = join(zoo, '.second');
    const files = (id: string) => ({
      [`${id}/manifest.yaml`]: `${manifest}default: true`,
      [`${id}/1/config.json`]: nerConfig,
      [`${id}/1/onnx/model.onnx`]: '',
    });
    await lay(files('one'));
    await lay({ ...files('one'), ...files('other') }, second);
    const { models, broken } = await scanRepository([zoo, second]);
    assert.deepEqual(
      models.map((model) => [model.id, model.isDefault]),
      [
        ['one', true],
        ['other', false],
      ],
    );
    assert.match(broken[0]?.reason ?? '', /already serves the id "one"/);
  });

  it('refuses two defaults for one task in a directory', async () => {
    for (const id of ['one', 'two'])
      await lay({
        [`${id}/manifest.yaml`]: `${manifest}default: true`,
        [`${id}/1/config.json`]: nerConfig,
        [`${id}/1/onnx/model.onnx`]: '',
      });
    assert.match(await reasonOf('two'), /"one" is already the default/);
  });

  it('takes a directory that is not there for empty, and reports what is none and a link that leads nowhere', async () => {
    assert.deepEqual(await scanRepository([join(zoo, 'nowhere')]), { models: [], broken: [] });
    await lay({ loose: '' });
    assert.match((await scanRepository([join(zoo, 'loose')])).broken[0]?.reason ?? '', /can not be read/);
    await symlink(join(zoo, 'nowhere'), join(zoo, 'dangling'));
    assert.match(await reasonOf('dangling'), /Could not be read/);
  });
});
