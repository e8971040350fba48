/** Manifests that name a server: the one that the documentation shows, and what becomes of it. */
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import type { ModelFiles } from './model-files.ts';
import { scanRepository } from './scan-repository.ts';
import { upstreamSchema } from './upstream.ts';

const page = readFileSync(join(import.meta.dirname, '../../docs/upstreams.md'), 'utf8');
const [, example = ''] = /<!-- manifest:.*-->\n```yaml\n([\s\S]*?)```/.exec(page) ?? [];
let dir: string;
before(() => {
  dir = mkdtempSync(join(tmpdir(), 'millrace-upstream-'));
  mkdirSync(join(dir, 'qwen3-vl'));
});
after(() => rmSync(dir, { recursive: true }));

async function read(manifest: string): Promise<ModelFiles> {
  writeFileSync(join(dir, 'qwen3-vl/manifest.yaml'), manifest);
  const { models, broken } = await scanRepository([dir]);
  assert.deepEqual(broken, []);
  return models[0] as ModelFiles;
}

test('the documented manifest is read as it is meant', async () => {
  const { id, version, dtype, isDefault, upstream, parameters } = await read(example);
  assert.deepEqual([id, version, dtype, isDefault, parameters], ['qwen3-vl', '1', '', true, { max_new_tokens: 1024 }]);
  assert.deepEqual(upstream, {
    kind: 'openai-chat',
    url: 'http://127.0.0.1:8000/v1',
    model: 'Qwen/Qwen3-VL-8B-Instruct',
    apiKeyEnv: 'VLLM_API_KEY',
    concurrencyMax: 16,
    timeoutSeconds: 120,
    imageSideMax: 2048,
    system: 'You read diagrams exactly.',
    prompts: { text: 'Write what this picture says, line by line.' },
    body: { repetition_penalty: 1.05 },
  });
});

test('the documented manifest has every word that a manifest may have', () => {
  for (const word of Object.keys(upstreamSchema.shape)) assert.match(example, new RegExp(`^  ${word}:`, 'm'));
});

test('only what changes how it runs makes another state of the model', async () => {
  const { revision } = await read(example);
  assert.equal((await read(example.replace('Reads pictures', 'Looks at pictures'))).revision, revision);
  assert.notEqual((await read(example.replace(':8000', ':8001'))).revision, revision);
});
