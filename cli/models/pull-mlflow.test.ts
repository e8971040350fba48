/** `models pull models:/...` against a real MLflow server: versions, aliases, nearest names, and what it says without one. */
import assert from 'node:assert/strict';
import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { scanRepository } from '../../models/repository/scan-repository.ts';
import { verifyFiles } from '../../models/repository/verify-files.ts';
import { root } from '../commands/run-tool.ts';
import { MlflowServer, skipWithoutMlflow } from './testing/mlflow-server.ts';
import { runModels } from './testing/run-models.ts';

const starter = join(root, 'models/zoo/starter-ner-groceries/1');

describe('models pull from MLflow', { skip: skipWithoutMlflow() }, () => {
  let mlflow: MlflowServer;
  let dir: string;
  before(async () => {
    dir = mkdtempSync(join(tmpdir(), 'millrace-mlflow-'));
    mlflow = await MlflowServer.start(dir);
    await mlflow.log('grocery-ner', starter);
    const second = join(dir, 'second');
    cpSync(starter, join(second, 'inner'), { recursive: true });
    writeFileSync(join(second, 'requirements.txt'), 'none');
    await mlflow.log('grocery-ner', second);
    await mlflow.log('no-model', join(second, 'inner/onnx'));
  });
  after(async () => {
    await mlflow?.stop();
    rmSync(dir, { recursive: true, force: true });
  });

  const pull = (source: string, ...more: string[]) =>
    runModels(['pull', source, ...more], { MODELS_DIR: join(dir, 'home'), MLFLOW_TRACKING_URI: mlflow.url });

  it('pulls a version, then the one that an alias names, as versions of one model', async () => {
    const first = await pull('models:/grocery-ner/1', '--as', 'ner');
    assert.equal(first.code, 0, first.err);
    const champion = await pull('models:/grocery-ner@champion', '--as', 'ner');
    assert.equal(champion.code, 0, champion.err);
    assert.match(champion.out, /^ner: version 2, token-classification, q8/m);
    const { models, broken } = await scanRepository([join(dir, 'home')]);
    assert.deepEqual(broken, []);
    const [model] = models;
    assert.ok(model);
    assert.deepEqual([model.version, model.source], ['2', 'models:/grocery-ner/2']);
    await verifyFiles(model);
    assert.ok(Object.keys(model.sha256).includes('2/onnx/model_quantized.onnx'));
    const again = await pull('models:/grocery-ner/champion', '--as', 'ner');
    assert.match(again.err, /ner has models:\/grocery-ner\/2 already, as version 2/);
  });

  it('says what the registry has instead', async () => {
    assert.match(
      (await pull('models:/grocery-ner/9')).err,
      /MLflow has no version 9 of grocery-ner; its latest version: 2/,
    );
    assert.match((await pull('models:/grocery-ner@prod')).err, /no alias "prod" of grocery-ner/);
    assert.match((await pull('models:/grocery-nre/1')).err, /no model "grocery-nre"\. Did you mean "grocery-ner"\?/);
    assert.match((await pull('models:/no-model/1')).err, /holds no folder in Hub layout.*found model_quantized\.onnx/);
  });
});

describe('models pull without MLflow', () => {
  it('says how to name the server, and when it does not answer', async () => {
    assert.match((await runModels(['pull', 'models:/ner/1'], {})).err, /Set MLFLOW_TRACKING_URI to its server/);
    const ran = await runModels(['pull', 'models:/ner/1'], { MLFLOW_TRACKING_URI: 'http://127.0.0.1:1' });
    assert.match(ran.err, /http:\/\/127\.0\.0\.1:1 does not answer/);
    assert.equal(ran.code, 1);
  });
});
