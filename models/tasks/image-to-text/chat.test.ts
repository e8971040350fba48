/** Image to text by a vision-language model: the question by format, the picture that goes out, and what answers become. */
import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import sharp from 'sharp';
import { Problem } from '../../../shared/problems/problem.ts';
import type { ChatAnswer } from '../../chat/chat-plan.ts';
import { toUpstream, upstreamSchema } from '../../repository/upstream.ts';
import type { ChatPipeline, Row } from '../../task.ts';
import { modelFiles } from '../../testing/model-files.ts';
import factory from './chat.ts';
import contract from './contract.ts';

const filesOf = (words: object = {}, extra: object = {}) =>
  modelFiles({
    task: 'image-to-text',
    upstream: toUpstream(upstreamSchema.parse({ kind: 'openai-chat', url: 'http://x', model: 'm', ...words })),
    ...extra,
  });

let folder: string;
let picture: string;
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'chat-'));
  picture = join(folder, 'turned.jpg');
  // Three thousand by one thousand, red to the left; the camera was turned by a quarter.
  const red = {
    input: { create: { width: 300, height: 1000, channels: 3, background: 'red' } },
    left: 0,
    top: 0,
  } as const;
  await sharp({ create: { width: 3000, height: 1000, channels: 3, background: 'blue' } })
    .composite([red])
    .withMetadata({ orientation: 6 })
    .jpeg()
    .toFile(picture);
});
after(() => rm(folder, { recursive: true }));

async function rowOf(parameters: object = {}, pipeline?: ChatPipeline): Promise<Row> {
  const made = pipeline ?? (await factory.createPipeline(filesOf(), 'prepare'));
  const rows = await made.prepare({ kind: 'file', path: picture, type: 'image/jpeg' }, { ...parameters });
  return structuredClone(rows[0] as Row);
}

describe('the picture', () => {
  it('goes out upright, no longer than the manifest says, and without what was about it in the file', async () => {
    const pipeline = await factory.createPipeline(filesOf({ image_side_max: 600 }), 'prepare');
    const { image } = pipeline.chat.ask(await rowOf({}, pipeline));
    // Only loaders of files are let through here.
    await writeFile(join(folder, 'sent.jpg'), image?.bytes ?? []);
    const sent = sharp(join(folder, 'sent.jpg'));
    const { width, height, format, exif, orientation } = await sent.metadata();
    assert.deepEqual([width, height, format, exif, orientation], [200, 600, 'jpeg', undefined, undefined]);
    const top = await sent.extract({ left: 100, top: 10, width: 1, height: 1 }).raw().toBuffer();
    assert.ok((top[0] ?? 0) > 200 && (top[2] ?? 255) < 60, 'red is at the top');
  });

  it('is refused by its pixels before it is decoded, as everywhere', async () => {
    const pipeline = await factory.createPipeline(filesOf({}, { limits: { imagePixelsMax: 1000 } }), 'prepare');
    await assert.rejects(rowOf({}, pipeline), (error) => error instanceof Problem && error.slug === 'image-too-large');
  });
});

describe('the question', () => {
  const ask = async (parameters: object, words: object = {}) => {
    const pipeline = await factory.createPipeline(filesOf(words), 'prepare');
    return pipeline.chat.ask(await rowOf(parameters, pipeline));
  };

  it('asks by the format: for the text, for a graph, for an algorithm', async () => {
    assert.match((await ask({})).prompt, /^Write what this picture says/);
    for (const format of ['json', 'mermaid']) assert.match((await ask({ format })).prompt, /one JSON object/);
    assert.match((await ask({ format: 'pseudocode' })).prompt, /end while/);
  });

  it("takes the caller's prompt for ours, and says after it what will be read", async () => {
    assert.equal((await ask({ prompt: 'How many cats?' })).prompt, 'How many cats?');
    assert.match(
      (await ask({ prompt: 'Only the left half.', format: 'json' })).prompt,
      /^Only the left half\.\n\nRead/,
    );
  });

  it("takes the manifest's prompts and parameters below the caller's", async () => {
    const words = { prompts: { pseudocode: 'As my LoRA has it.' }, system: 'You read diagrams.' };
    const question = await ask({ format: 'pseudocode', max_new_tokens: 9 }, words);
    assert.deepEqual(
      [question.prompt, question.system, question.tokensMax],
      ['As my LoRA has it.', 'You read diagrams.', 9],
    );
    assert.equal(question.temperature, 0);
  });

  it('searches no beams, and says so', async () => {
    await assert.rejects(
      ask({ num_beams: 4 }),
      (error) => error instanceof Problem && error.slug === 'validation-failed',
    );
    await ask({ num_beams: 1 });
  });
});

describe('the answer', () => {
  const read = async (text: string, parameters: object = {}, answer: Partial<ChatAnswer> = {}) => {
    const pipeline = await factory.createPipeline(filesOf(), 'merge');
    const row = await rowOf(parameters);
    const outcome = pipeline.chat.read(row, { text, reason: 'stop', usage: null, ...answer });
    assert.ok('part' in outcome);
    const output = pipeline.merge([outcome.part], [row.context]);
    assert.ok(contract.output.safeParse(output).success, JSON.stringify(output));
    return output as {
      generated_text: string;
      formatted?: { text?: string; graph?: unknown; error?: { line: number; detail: string } };
    };
  };
  const graph =
    '{"nodes":[{"id":"A","kind":"start","text":"go"},{"id":"end","kind":"end","text":"<b>"}],"edges":[{"from":"A","to":"end"}]}';

  it('fills the contract with text, reason and counts', async () => {
    assert.deepEqual(await read('a cat. A dog', { stop: ['.'] }, { usage: { promptTokens: 5, completionTokens: 2 } }), {
      generated_text: 'a cat',
      finish_reason: 'stop',
      usage: { prompt_tokens: 5, completion_tokens: 2 },
    });
    assert.deepEqual(await read('x', {}, { reason: null }), { generated_text: 'x' });
  });

  it('is read as a graph, with ids of ours, in a fence or without', async () => {
    for (const text of [graph, `Here it is:\n\`\`\`json\n${graph}\n\`\`\`\nDone.`]) {
      const { formatted } = await read(text, { format: 'json' });
      assert.deepEqual(formatted?.graph, {
        nodes: [
          { id: 'n1', kind: 'start', text: 'go' },
          { id: 'n2', kind: 'end', text: '<b>' },
        ],
        edges: [{ from: 'n1', to: 'n2' }],
      });
    }
    const { formatted } = await read(graph, { format: 'mermaid' });
    assert.equal(formatted?.text, 'flowchart TD\n  n1(["go"])\n  n2(["#lt;b#gt;"])\n  n1 --> n2\n');
  });

  it('is read as an algorithm, too', async () => {
    const { formatted } = await read('```\nstart\nif a\nb\nend if\nend\n```', { format: 'pseudocode' });
    assert.equal(formatted?.text, 'start\nif a\n  b\nend if\nend\n');
    assert.ok((await read('start\nend', { format: 'mermaid' })).formatted?.text?.startsWith('flowchart TD'));
  });

  it('that is neither says where, counted in the whole text, and fails no item', async () => {
    const faultOf = async (text: string, format: string) => (await read(text, { format })).formatted?.error;
    assert.equal((await faultOf('a cat', 'json'))?.line, 1);
    assert.deepEqual(await faultOf('So:\n```\nstart\nif a\nend\n```', 'mermaid'), {
      line: 5,
      detail: '`if` of line 2 is not closed by `end if`.',
    });
    assert.match((await faultOf('{"nodes": [', 'json'))?.detail ?? '', /not JSON, or is cut off/);
    assert.match((await faultOf('{"nodes":[]}', 'json'))?.detail ?? '', /fault at edges/);
    assert.match((await faultOf(graph.replace('"to":"end"', '"to":"Z"'), 'json'))?.detail ?? '', /not there/);
    assert.match((await faultOf(graph.replace('"id":"end"', '"id":"A"'), 'json'))?.detail ?? '', /same id/);
    assert.match((await faultOf(graph, 'pseudocode'))?.detail ?? '', /wrote a graph/);
  });
});
