/**
 * Which task a bare Hub folder serves, judged by its config.json and the files beside it. Pure.
 */
import { ModelFault } from './manifest.ts';
import { readLabels } from './version-files.ts';

const taskByArchitectureSuffix: readonly (readonly [suffix: string, task: string])[] = [
  ['ForTokenClassification', 'token-classification'],
  ['ForCTC', 'automatic-speech-recognition'],
  // ...ForConditionalGeneration alone may write anything: T5 translates, others look at images.
  ['WhisperForConditionalGeneration', 'automatic-speech-recognition'],
  ['ForImageClassification', 'image-classification'],
  ['VisionEncoderDecoderModel', 'image-to-text'],
  ['Florence2ForConditionalGeneration', 'image-to-text'],
  ['BlipForConditionalGeneration', 'image-to-text'],
];

/** Files that sentence-transformers leaves beside an encoder. */
const embeddingMarks = ['modules.json', '1_Pooling', 'sentence_bert_config.json', 'config_sentence_transformers.json'];

/** @param names entries of the folder. Throws ModelFault saying what was found and what to write instead. */
export function inferTask(config: Readonly<Record<string, unknown>>, names: readonly string[]): string {
  const architectures = Array.isArray(config['architectures']) ? config['architectures'].map(String) : [];
  const classifier = architectures.find((architecture) => architecture.endsWith('ForSequenceClassification'));
  if (classifier !== undefined) return inferClassifier(classifier, config);
  for (const architecture of architectures)
    for (const [suffix, task] of taskByArchitectureSuffix) if (architecture.endsWith(suffix)) return task;
  if (embeddingMarks.some((mark) => names.includes(mark))) return 'feature-extraction';
  // A bare encoder (BertModel, XLMRobertaModel, ...) has no head: its hidden states are all it can give.
  if (architectures.some((architecture) => /^[A-Za-z0-9]+Model$/.test(architecture))) return 'feature-extraction';
  const found = architectures.length > 0 ? `architectures ${architectures.join(', ')}` : 'no architectures';
  throw new ModelFault(
    `config.json has ${found}, from which no task follows (expected ...ForTokenClassification, ...ForCTC, ` +
      'WhisperForConditionalGeneration, ...ForImageClassification, VisionEncoderDecoderModel, ' +
      'Florence2ForConditionalGeneration, BlipForConditionalGeneration, ' +
      '...ForSequenceClassification with one label, or a sentence-transformers folder). ' +
      'Write a manifest.yaml with `task:`.',
  );
}

/** A reranker has one label, its score; a classifier has several. transformers writes id2label, and means 2 without. */
function inferClassifier(architecture: string, config: Readonly<Record<string, unknown>>): string {
  const labels = readLabels(config).length || Number(config['num_labels'] ?? 2);
  if (labels === 1) return 'text-ranking';
  throw new ModelFault(
    `config.json has ${architecture} with ${labels} labels: a classifier of texts, for which there is no task here. ` +
      'A reranker (text-ranking) has one label. If this is one, write a manifest.yaml with `task: text-ranking`.',
  );
}
