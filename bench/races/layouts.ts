/**
 * What a worker finds when it measures its lanes: the race of `workers/layout/` on real models, by the size of calls. Work
 * of each further layout over that of a lane per core; above 1.05 in five of six pairs the worker would change.
 */
import { availableParallelism } from 'node:os';
import { loadPipelineFactory } from '../../models/discover-tasks.ts';
import { unitOf } from '../../models/repository/model-files.ts';
import type { Row } from '../../models/task.ts';
import { candidates, type Layout } from '../../workers/layout/layout.ts';
import { raceLayouts } from '../../workers/layout/layout-race.ts';
import type { BenchOptions } from '../method/options.ts';
import { ratioOf } from '../method/ratio.ts';
import { type Figure, finish } from '../method/report.ts';
import { findSubjects, type Subject, textOf } from '../pipeline/subjects.ts';

const device = 'cpu';
/** Rows of a call, and tokens of each: what the scheduler makes of sentences, of a mix, and of documents. */
const textCalls = [
  { rows: 12, tokens: 16 },
  { rows: 4, tokens: 64 },
  { rows: 1, tokens: 256 },
] as const;
const photosPerCall = [1, 4] as const;

interface Call {
  readonly name: string;
  readonly subject: Subject;
  readonly rows: readonly Row[];
}

export async function benchLayouts({ only, keep }: BenchOptions): Promise<void> {
  const [base, ...challengers] = candidates(availableParallelism());
  const calls = (await callsOf()).filter(({ name }) => name.includes(only));
  const figures: Figure[] = [];
  for (const challenger of challengers)
    for (const call of calls) figures.push(await race(base as Layout, challenger, call));
  finish('layouts', figures, {}, keep);
}

async function race(base: Layout, challenger: Layout, { name, subject: { files }, rows }: Call): Promise<Figure> {
  const calls = [{ model: unitOf(files), rows, ms: 1 }];
  const { signal } = new AbortController();
  const ratios = await raceLayouts(base, challenger, { device, models: [files], calls, signal });
  if (!ratios) throw new Error(`The race of ${name} broke off.`);
  const words = ({ lanes, threads }: Layout) => `${lanes} x ${threads}`;
  return {
    name: `${words(challenger)}: ${name}`,
    ratio: ratioOf(
      ratios,
      ratios.map(() => 1),
    ),
    target: '',
    meaning: `work in lanes x threads ${words(challenger)} over ${words(base)}`,
  };
}

async function callsOf(): Promise<Call[]> {
  const [texts, photos] = (await findSubjects(textCalls[0].tokens)) as [Subject, Subject];
  const calls: Call[] = [];
  for (const { rows, tokens } of textCalls) {
    const sources = Array.from({ length: rows }, (_, i) => ({ kind: 'text', text: textOf(tokens, i) }) as const);
    calls.push({ name: `MiniLM, ${rows} of ${tokens} tokens`, subject: texts, rows: await prepare(texts, sources) });
  }
  for (const count of photosPerCall)
    calls.push({
      name: `MobileNetV2, ${count}`,
      subject: photos,
      rows: await prepare(photos, photos.sources.slice(0, count)),
    });
  return calls;
}

async function prepare({ files }: Subject, sources: Subject['sources']): Promise<Row[]> {
  const factory = await loadPipelineFactory(files.task);
  const pipeline = await factory.createPipeline(files, 'prepare');
  return (await Promise.all(sources.map((source) => pipeline.prepare(source, {})))).flat();
}
