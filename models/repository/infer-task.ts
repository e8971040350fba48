/**
 * Which task a bare Hub folder serves, judged by its config.json and the files beside it. Pure.
 */
import { ModelFault } from './manifest.ts';

const taskByArchitectureSuffix: readonly (readonly [suffix: string, task: string])[] = [
  ['ForTokenClassification', 'token-classification'],
  ['ForCTC', 'automatic-speech-recognition'],
  ['ForImageClassification', 'image-classification'],
];

/** Files that sentence-transformers leaves beside an encoder. */
const embeddingMarks = ['modules.json', '1_Pooling', 'sentence_bert_config.json', 'config_sentence_transformers.json'];

/** @param names entries of the folder. Throws ModelFault saying what was found and what to write instead. */
export function inferTask(config: Readonly<Record<string, unknown>>, names: readonly string[]): string {
  const architectures = Array.isArray(config['architectures']) ? config['architectures'].map(String) : [];
  for (const architecture of architectures)
    for (const [suffix, task] of taskByArchitectureSuffix) if (architecture.endsWith(suffix)) return task;
  if (embeddingMarks.some((mark) => names.includes(mark))) return 'feature-extraction';
  // A bare encoder (BertModel, XLMRobertaModel, ...) has no head: its hidden states are all it can give.
  if (architectures.some((architecture) => /^[A-Za-z0-9]+Model$/.test(architecture))) return 'feature-extraction';
  const found = architectures.length > 0 ? `architectures ${architectures.join(', ')}` : 'no architectures';
  throw new ModelFault(
    `config.json has ${found}, from which no task follows (expected ...ForTokenClassification, ...ForCTC, ` +
      '...ForImageClassification, or a sentence-transformers folder). Write a manifest.yaml with `task:`.',
  );
}
