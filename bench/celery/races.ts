/**
 * The models that are raced: those of the repository, real ones of the asset folder, and one that hardly computes (BERT of
 * two layers, 16 wide, random weights, from the parity fixtures), where all is overhead.
 */
import { join } from 'node:path';
import { assetsFolder } from '../../shared/testing/assets.ts';
import { briefSentences, filesOf, rankings, sentences, textLines } from './items.ts';

export interface Race {
  readonly name: string;
  /** A model's folder in `modelsDir`. */
  readonly id: string;
  readonly modelsDir: string;
  /** Items/s over those of FastAPI + Celery. */
  readonly atLeast: number;
  readonly items: () => readonly unknown[];
}

const models = join(import.meta.dirname, '../../models');
const zoo = join(models, 'zoo');
const assets = assetsFolder();

const starter = (id: string, items: Race['items']): Race => ({ name: id, id, modelsDir: zoo, atLeast: 1, items });

export const races: readonly Race[] = [
  {
    name: 'no-op',
    id: 'minilm-embedder',
    modelsDir: join(models, 'parity/fixtures/models'),
    atLeast: 5,
    items: briefSentences,
  },
  {
    name: 'all-MiniLM-L6-v2',
    id: 'all-MiniLM-L6-v2',
    modelsDir: join(assets, 'models'),
    atLeast: 3,
    items: sentences,
  },
  starter('starter-embed', sentences),
  starter('starter-ner-groceries', () => textLines(join(zoo, 'starter-ner-groceries/heldout.jsonl'))),
  starter('starter-rerank', rankings),
  starter('starter-image', () => filesOf(join(zoo, 'starter-image/heldout'), /\.png$/)),
  {
    name: 'mobilenet-v2',
    id: 'mobilenet_v2_1.0_224',
    modelsDir: join(assets, 'models/imagenet'),
    atLeast: 1,
    items: () => filesOf(join(assets, 'images/imagenet-fish'), /\.jpe?g$/i),
  },
  starter('starter-asr-digits', () => filesOf(join(assets, 'audio/fsdd/recordings'), /\.wav$/)),
  starter('starter-diagram', () => filesOf(join(zoo, 'starter-diagram/heldout'), /\.jpg$/)),
];
