import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { loadContracts, loadPipelineFactory } from './discover-tasks.ts';

describe('discovering tasks', () => {
  let folder: string;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'tasks-'));
  });
  after(() => rm(folder, { recursive: true }));

  it('finds every folder under tasks', async () => {
    const contracts = await loadContracts();
    for (const task of [
      'token-classification',
      'automatic-speech-recognition',
      'image-classification',
      'image-to-text',
      'feature-extraction',
      'text-ranking',
    ])
      assert.equal(contracts.get(task)?.task, task);
  });

  it("gives examples that pass the task's own schemas", async () => {
    for (const contract of (await loadContracts()).values()) {
      contract.parameters.parse(contract.example.parameters ?? {});
      contract.output.parse(contract.example.output);
      contract.item?.parse(contract.example.input);
    }
  });

  it('refuses unknown parameters in every task', async () => {
    for (const contract of (await loadContracts()).values())
      assert.equal(contract.parameters.safeParse({ surprise: 1 }).success, false, contract.task);
  });

  it('finds a pipeline for every contract', async () => {
    for (const task of (await loadContracts()).keys()) assert.equal((await loadPipelineFactory(task)).task, task);
  });

  it('names the path and every fault of a faulty contract', async () => {
    await mkdir(join(folder, 'faulty'));
    await writeFile(
      join(folder, 'faulty', 'contract.ts'),
      "export default { task: 'other', title: 'T', media: 'smell' };",
    );
    await assert.rejects(loadContracts(folder), (error: Error) => {
      assert.match(error.message, /faulty\/contract\.ts: task is "other" but the folder is "faulty"/);
      assert.match(error.message, /media must be one of text, audio, image/);
      return true;
    });
  });

  it('does not let a task name leave the folder', async () => {
    await assert.rejects(loadPipelineFactory('../../etc'), /not a task's name/);
  });

  it('says which file a task lacks', async () => {
    await assert.rejects(loadPipelineFactory('text-to-smell'), /text-to-smell\/pipeline\.ts can not be imported/);
  });
});
