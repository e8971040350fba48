import assert from 'node:assert/strict';
import { cp, mkdir, mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import type { ModelRepository } from './model-files.ts';
import { RepositoryWatch } from './watch-repository.ts';

const config = JSON.stringify({ architectures: ['BertForTokenClassification'] });

describe('watching model directories', () => {
  let root: string;
  let zoo: string;
  let watch: RepositoryWatch;
  let told: string[];
  const words = ({ models, broken }: ModelRepository) =>
    [
      ...models.map(({ id, version, dtype }) => `${id}@${version} ${dtype}`),
      ...broken.map(({ id }) => `${id} broken`),
    ].join(', ');
  beforeEach(async () => {
    root = await mkdtemp(join(tmpdir(), 'watch-'));
    zoo = join(root, 'models');
    told = [];
    watch = new RepositoryWatch({
      directories: [zoo],
      onChange: (repository) => void told.push(words(repository)),
      onFault: (error) => assert.fail(String(error)),
      // Looks are the test's.
      lookEveryMs: 3_600_000,
    });
  });
  afterEach(async () => {
    await watch.stop();
    await rm(root, { recursive: true });
  });

  const lay = async (files: Record<string, string>) => {
    for (const [path, text] of Object.entries(files)) {
      await mkdir(dirname(join(zoo, path)), { recursive: true });
      await writeFile(join(zoo, path), text);
    }
  };
  const layModel = (id: string, more: Record<string, string> = {}) =>
    lay({ [`${id}/config.json`]: config, [`${id}/onnx/model.onnx`]: 'graph', ...more });

  it('takes what is there at the start, also when the directory comes later', async () => {
    assert.equal(words(await watch.start()), '');
    await layModel('one');
    await watch.look();
    await watch.look();
    assert.equal(told.at(-1), 'one@1 fp32');
  });

  it('waits until a folder that is copied in has come to rest', async () => {
    await layModel('one');
    assert.equal(words(await watch.start()), 'one@1 fp32');
    await lay({ 'two/config.json': config });
    await watch.look();
    await lay({ 'two/onnx/model.onnx': 'half' });
    await watch.look();
    await lay({ 'two/onnx/model.onnx': 'the whole graph' });
    await watch.look();
    assert.deepEqual(new Set(told), new Set(['one@1 fp32, two broken']));
    await watch.look();
    assert.equal(told.at(-1), 'one@1 fp32, two@1 fp32');
  });

  it('keeps what was read while a folder changes, then tells the change once', async () => {
    await layModel('one');
    await watch.start();
    await lay({ 'one/onnx/model.onnx': 'longer graph' });
    await watch.look();
    assert.deepEqual(told, []);
    await watch.look();
    await watch.look();
    assert.equal(told.length, 1);
    await lay({ 'one/manifest.yaml': 'task: [' });
    await watch.look();
    await watch.look();
    assert.equal(told.at(-1), 'one broken');
  });

  it('tells of a folder that is gone, but forgets nothing while the whole directory is away', async () => {
    await layModel('one');
    await layModel('two');
    await watch.start();
    await rename(zoo, join(root, 'away'));
    await watch.look();
    assert.deepEqual(told, []);
    await rename(join(root, 'away'), zoo);
    await rm(join(zoo, 'one'), { recursive: true });
    await watch.look();
    assert.deepEqual(told, ['two@1 fp32']);
    await cp(join(zoo, 'two'), join(zoo, 'one'), { recursive: true });
    await watch.look();
    await watch.look();
    assert.equal(told.at(-1), 'one@1 fp32, two@1 fp32');
  });
});
