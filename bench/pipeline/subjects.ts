/** What the pipeline bench runs: real models of the asset folder, with items of one length. */
import { existsSync, readdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { ModelFiles } from '../../models/repository/model-files.ts';
import { scanRepository } from '../../models/repository/scan-repository.ts';
import type { PreparedSource } from '../../models/task.ts';
import { assetsFolder } from '../../shared/testing/assets.ts';

export interface Subject {
  readonly name: string;
  readonly files: ModelFiles;
  /** Folder to hand to the worker as MODELS_DIR. */
  readonly modelsDir: string;
  readonly sources: readonly PreparedSource[];
}

/** Words that are one token each in BERT's vocabulary. */
const words = [
  'river',
  'stone',
  'water',
  'light',
  'house',
  'green',
  'paper',
  'table',
  'music',
  'train',
  'night',
  'glass',
];

/** A text of exactly `tokens` tokens, with the two that BERT adds. */
export function textOf(tokens: number, seed: number): string {
  return Array.from({ length: tokens - 2 }, (_, i) => words[(i * 7 + seed * 5 + (i >> 2)) % words.length]).join(' ');
}

export async function findSubjects(textTokens: number): Promise<Subject[]> {
  const assets = assetsFolder();
  if (!existsSync(assets))
    throw new Error(`The pipeline bench needs real models: ${assets} is absent (set MILLRACE_ASSETS).`);
  const images = join(assets, 'images/imagenet-fish');
  const photos = readdirSync(images, { recursive: true })
    .map(String)
    .filter((name) => /\.jpe?g$/i.test(name));
  const textDir = resolve(assets, 'models');
  const imageDir = resolve(assets, 'models/imagenet');
  return [
    {
      name: `minilm-${textTokens}`,
      files: await findModel(textDir, 'all-MiniLM-L6-v2'),
      modelsDir: textDir,
      sources: Array.from({ length: 64 }, (_, i) => ({ kind: 'text', text: textOf(textTokens, i) })),
    },
    {
      name: 'mobilenet-v2',
      files: await findModel(imageDir, 'mobilenet_v2_1.0_224'),
      modelsDir: imageDir,
      sources: photos.slice(0, 16).map((name) => ({ kind: 'file', path: join(images, name), type: 'image/jpeg' })),
    },
  ];
}

/** A text model of the asset folder, with texts of its own. */
export async function findSubject(id: string): Promise<Subject> {
  const modelsDir = resolve(assetsFolder(), 'models');
  if (!existsSync(modelsDir)) throw new Error(`This bench needs real models: ${modelsDir} is absent.`);
  return { name: id, files: await findModel(modelsDir, id), modelsDir, sources: [] };
}

export async function findModel(folder: string, id: string): Promise<ModelFiles> {
  const { models } = await scanRepository([folder]);
  const files = models.find((model) => model.id === id);
  if (!files) throw new Error(`${folder} has no model ${id}.`);
  return files;
}
