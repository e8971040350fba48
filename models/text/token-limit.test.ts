import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { toCodePoints } from './offset-units.ts';
import { checkTokens, tokenLimit } from './token-limit.ts';

describe('how many tokens a model takes', () => {
  const none = { config: {}, tokenizerConfig: {}, limits: {} };

  it('is the least that config, tokeniser and manifest say', () => {
    assert.equal(tokenLimit(none), 512);
    assert.equal(
      tokenLimit({ ...none, config: { max_position_embeddings: 512 }, tokenizerConfig: { model_max_length: 128 } }),
      128,
    );
    assert.equal(tokenLimit({ ...none, config: { max_position_embeddings: 512 }, limits: { textTokensMax: 64 } }), 64);
  });

  it('lets sentence-transformers replace the tokeniser, but not pass the positions', () => {
    const config = { max_position_embeddings: 512 };
    const tokenizerConfig = { model_max_length: 128 };
    assert.equal(tokenLimit({ ...none, config, tokenizerConfig, sentenceConfig: { max_seq_length: 256 } }), 256);
    assert.equal(tokenLimit({ ...none, config, tokenizerConfig, sentenceConfig: { max_seq_length: 1024 } }), 512);
  });

  it('passes over "no limit" and knows that RoBERTa counts from two', () => {
    const config = { model_type: 'xlm-roberta', max_position_embeddings: 514 };
    assert.equal(tokenLimit({ ...none, config, tokenizerConfig: { model_max_length: 1e30 } }), 512);
  });

  it('refuses more, with both figures', () => {
    checkTokens(512, 512);
    assert.throws(() => checkTokens(513, 512), /513 tokens; this model takes 512/);
  });
});

describe('positions', () => {
  it('count code points before a UTF-16 position', () => {
    const at = toCodePoints('a😀б👩‍👧');
    assert.deepEqual([0, 1, 3, 4, 6, 7, 9].map(at), [0, 1, 2, 3, 4, 5, 6]);
    assert.equal(toCodePoints('абв')(2), 2);
  });
});
