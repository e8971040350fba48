/** Every odd image, recording and document at hand ends in a result or a clear problem, at the right task and the wrong one. */
import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { extname, join, relative } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { type ProblemSlug, problemCatalogue } from '../../shared/problems/catalogue.ts';
import { assetsFolder, skipWithoutAssets } from '../../shared/testing/assets.ts';
import { type RunningSystem, startSystem } from '../system/running-system.ts';
import { type Fate, sendAll, sendFile } from './send-file.ts';

const [classifier, recogniser, tagger] = ['mobilenet_v2_1.0_224', 'starter-asr-digits', 'starter-ner-groceries'];
/** The longest recording at hand takes a second of an idle core; the machine may be ten times busier. */
const deadlineMs = 240_000;
/** A file is at fault, or its sender; nothing else may be said of one. */
const blameable = new Set<string>([
  'empty-file',
  'unsupported-file-type',
  'corrupt-image',
  'image-too-large',
  'corrupt-audio',
  'audio-too-long',
  'validation-failed',
] satisfies ProblemSlug[]);

function filesUnder(folder: string, pick: (path: string) => boolean = () => true): string[] {
  const root = join(assetsFolder(), folder);
  const entries = readdirSync(root, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .filter(pick)
    .sort();
}

const every = (step: number) => (_: string, index: number) => index % step === 0;

describe('odd files', { skip: skipWithoutAssets('formats') }, () => {
  let system: RunningSystem;
  before(async () => {
    system = await startSystem({
      models: [classifier, recogniser, tagger],
      env: { MODELS_DIR: join(assetsFolder(), 'models/imagenet') },
    });
  });
  after(() => system.stop());

  const send = (model: string, paths: readonly string[]) =>
    sendAll(paths, 8, (path) => sendFile(system.url, model, path, deadlineMs));
  // Spoken letters and digits are 2,600 plain WAVs; one in fifty stands for them.
  const recordings = () => filesUnder('audio', (path) => !/fsdd|alphanumeric/.test(path));
  const plainRecordings = () => filesUnder('audio', (path) => /fsdd|alphanumeric/.test(path)).filter(every(50));

  it('at the task that they are meant for', async (t) => {
    const sent: [model: string, paths: string[]][] = [
      [classifier, [...filesUnder('images'), ...filesUnder('formats')]],
      [recogniser, [...recordings(), ...plainRecordings(), ...filesUnder('formats')]],
    ];
    const fates: Fate[] = [];
    for (const [model, paths] of sent) fates.push(...(await send(model, paths)));
    assert.ok(fates.length > 450, `${fates.length} files`);
    for (const line of tabulate(fates)) t.diagnostic(line);
    assert.deepEqual(fates.flatMap(complain), []);
    assert.deepEqual(fates.filter(({ end, output }) => end === 'result' && !isOutput(output)).map(describeFate), []);
  });

  it('at the wrong task', async (t) => {
    const fates = [
      ...(await send(classifier, recordings().filter(every(4)))),
      ...(await send(recogniser, filesUnder('images').filter(every(4)))),
      ...(await send(tagger, [...filesUnder('formats'), ...filesUnder('images').filter(every(12))])),
    ];
    for (const line of tabulate(fates)) t.diagnostic(line);
    assert.deepEqual(fates.flatMap(complain), []);
    assert.deepEqual(fates.filter(({ end }) => end === 'result').map(describeFate), []);
  });

  it('without harm: the next photo is classified as ever', async () => {
    const fate = await sendFile(
      system.url,
      classifier,
      join(assetsFolder(), 'images/imagenet-other/n02391049_zebra.JPEG'),
      deadlineMs,
    );
    assert.equal((fate.output as { label: string }[])[0]?.label, 'zebra');
  });
});

function isOutput(output: unknown): boolean {
  if (Array.isArray(output)) return output.length === 5 && output.every(({ score }) => score >= 0 && score <= 1);
  return typeof (output as { text?: unknown } | null)?.text === 'string';
}

/** What is wrong with how a file ended; nothing when all is well. */
function complain(fate: Fate): string[] {
  const faults: string[] = [];
  if (fate.end === 'result') return faults;
  if (!blameable.has(fate.end)) faults.push('ended badly');
  else if (fate.status >= 400 && fate.status !== problemCatalogue[fate.end as ProblemSlug].status)
    faults.push(`status ${fate.status}`);
  // It may begin with the field that is at fault: "/file: ...".
  if (!/^(\/\w+: )?\w.{20,}\.$/.test(fate.detail)) faults.push('the detail is no sentence');
  if (/(^|[\s"'(:])\/\w+\/|incoming|blobs|node_modules|vips|ffmpeg/i.test(fate.detail))
    faults.push('a path or program');
  return faults.map((fault) => `${fault}: ${describeFate(fate)}`);
}

function describeFate({ path, model, end, detail, milliseconds }: Fate): string {
  return `${relative(assetsFolder(), path)} -> ${model}: ${end} after ${milliseconds} ms. ${detail}`;
}

/** One line per model and end: how many, and of which kinds. */
function tabulate(fates: readonly Fate[]): string[] {
  const groups = Map.groupBy(fates, ({ model, end }) => `${model.padEnd(22)} ${end.padEnd(22)}`);
  return [...groups].sort().map(([head, group]) => {
    const kinds = Map.groupBy(group, ({ path }) => extname(path).toLowerCase() || 'none');
    const counts = [...kinds].map(([kind, { length }]) => `${kind} ${length}`).sort();
    return `${head} ${String(group.length).padStart(4)}  ${counts.join(', ')}`;
  });
}
