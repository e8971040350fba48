import assert from 'node:assert/strict';
import { it } from 'node:test';
import { inferTask } from './infer-task.ts';

const withHead = (head: string, more: object = {}) => ({ architectures: [head], ...more });

it('tells a reranker by its one label, however it is said', () => {
  const reranker = 'XLMRobertaForSequenceClassification';
  for (const labels of [{ id2label: { 0: 'LABEL_0' } }, { num_labels: 1 }])
    assert.equal(inferTask(withHead(reranker, labels), ['config.json']), 'text-ranking');
  // sentence-transformers writes its marks beside cross-encoders too.
  const marks = ['config_sentence_transformers.json', 'sentence_bert_config.json'];
  assert.equal(inferTask(withHead(reranker, { num_labels: 1 }), marks), 'text-ranking');
});

it('refuses a classifier of texts by its labels, and says what a reranker has', () => {
  const classifier = 'BertForSequenceClassification';
  const labels = { 0: 'negative', 1: 'neutral', 2: 'positive' };
  assert.throws(
    () => inferTask(withHead(classifier, { id2label: labels }), []),
    /with 3 labels: a classifier of texts/,
  );
  assert.throws(() => inferTask(withHead(classifier), []), /with 2 labels.*`task: text-ranking`/);
});

it('names every architecture that it knows when none fits', () => {
  assert.throws(
    () => inferTask(withHead('BertForMaskedLM'), []),
    /architectures BertForMaskedLM, .*ForTokenClassification, .*ForCTC, .*ForSequenceClassification with one label/,
  );
});
