/**
 * Cohorts of a stock export over `generate` of transformers.js on the same files: TrOCR-small of true shape with random
 * weights, as `npm run parity` makes it. Both sides have the picture, the lengths, the likeliest token, the version of
 * onnxruntime and one thread in common; neither looks for a stop token, nor runs the encoder, whose states are handed out
 * again. Before the race both must write the same tokens. transformers.js has a process of its own, so that neither side
 * collects the other's garbage; all else is its default.
 *
 * Its pipelines write one text a call. `generate` also takes a batch, which lasts as long as its longest text: of what it
 * writes, only tokens that were wanted count. Both are raced, and the better one is what the aim speaks of.
 */
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { createDecoder } from '../../models/generation/create-decoder.ts';
import { writeRows } from '../../models/generation/decoder.ts';
import { trueModels } from '../../models/parity/expected.ts';
import { partOf } from '../../models/parity/run-model.ts';
import { HelperProcess } from '../method/helper-process.ts';
import { transformersJsPackage, whyNot } from '../peers/servers/environments.ts';
import type { Block, Race } from './race.ts';
import { tokensMost } from './ragged.ts';
import { drawTexts, streamOf } from './stream-of.ts';
import { openModel, type Subject } from './subjects.ts';
import type { Open, Write, Written } from './transformers-js-process.ts';

/** Tokens of each text, for so many texts of one length. */
type Writer = (texts: number, tokens: number) => Promise<readonly (readonly number[])[]>;

const id = 'trocr-small';
const batch = 8;
const ways = [
  { texts: 1, name: `${id}, B=${batch} over transformers.js B=1`, meaning: 'one text a call, as its pipelines do' },
  { texts: batch, name: `${id}, B=${batch} over transformers.js B=${batch}`, meaning: 'a batch a call' },
];

export const transformersJsRaces: readonly { readonly name: string }[] = ways;

/** Null, and a line that says why, where it can not be raced. */
export async function openTransformersJs(): Promise<{ races: Race[]; stop(): Promise<void> } | null> {
  const reason = await reasonNot();
  if (reason) {
    console.log(`transformers.js: left out, ${reason}`);
    return null;
  }
  const subject = await openModel(join(trueModels, id), id);
  const { write, stop } = await startWriter(subject);
  await checkSameTokens(subject, write);
  const races = ways.map(({ texts, name, meaning }) => ({
    name,
    target: '>= 2',
    meaning: `tokens/s of cohorts over transformers.js, ${meaning}`,
    ours: streamOf(subject, 'evict', batch),
    other: callsOf(write, texts, drawTexts()),
  }));
  return { races, stop };
}

async function reasonNot(): Promise<string | null> {
  // What the maker writes last.
  if (!existsSync(join(trueModels, id, 'made-by'))) return `since there is no export: npm run parity -- ${id} makes it`;
  return await whyNot(transformersJsPackage);
}

async function startWriter({ feeds }: Subject): Promise<{ write: Writer; stop(): Promise<void> }> {
  const { data, dims } = feeds['pixel_values'] ?? {};
  assert.ok(data instanceof Float32Array && dims, `${id} reads no pixels.`);
  const packages = await transformersJsPackage();
  const helper = new HelperProcess(join(import.meta.dirname, 'transformers-js-process.ts'));
  await helper.next('started');
  const open: Open = { type: 'open', packages, models: join(trueModels, id), id, picture: { data, dims } };
  await helper.ask(open, 'opened');
  return {
    async write(texts, tokens) {
      const { ids } = await helper.ask<Written>({ type: 'write', texts, tokens } satisfies Write, 'written');
      assert.deepEqual(
        ids.map(({ length }) => length),
        Array(texts).fill(tokens),
        'Texts have other lengths than wanted.',
      );
      return ids;
    },
    stop: () => helper.stop(),
  };
}

/** Alone and beside each other: nobody may win by writing something else. */
async function checkSameTokens({ engine, plan, sessions, row }: Subject, write: Writer): Promise<void> {
  for (const { texts } of ways) {
    const rows = Array.from({ length: texts }, () => row(tokensMost));
    const ours = (await writeRows(createDecoder(engine, plan, sessions), rows)).map(partOf);
    assert.deepEqual(await write(texts, tokensMost), ours, 'transformers.js writes other tokens.');
  }
}

/** Calls of so many texts; each of them writes for all its texts as much as the longest wants. */
export function callsOf(write: Writer, texts: number, nextTokens: () => number): Block {
  return async (isOver) => {
    const work = { tokens: 0, lines: 0, steps: 0 };
    do {
      const wanted = Array.from({ length: texts }, nextTokens);
      const longest = Math.max(...wanted);
      await write(texts, longest);
      work.tokens += wanted.reduce((sum, tokens) => sum + tokens, 0);
      work.lines += texts * longest;
      work.steps += longest;
    } while (!isOver());
    return work;
  };
}
