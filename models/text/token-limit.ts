/**
 * How many tokens, special ones included, a text model takes. Pure.
 */
import { Problem } from '../../shared/problems/problem.ts';
import type { ModelLimits } from '../repository/model-files.ts';
import type { Json } from '../repository/version-files.ts';

/** These count positions from the padding id on, so two fewer are left: 514 stands for 512. */
const offsetPositions = new Set([
  'roberta',
  'xlm-roberta',
  'camembert',
  'longformer',
  'mpnet',
  'xlm-roberta-xl',
  'ibert',
]);

export interface TokenLimitSources {
  readonly config: Json;
  readonly tokenizerConfig: Json;
  /** sentence_bert_config.json. */
  readonly sentenceConfig?: Json | null;
  readonly limits: ModelLimits;
}

/** The least of what config, tokeniser and manifest say; 1e30 ("no limit") and the like are passed over. */
export function tokenLimit({ config, tokenizerConfig, sentenceConfig, limits }: TokenLimitSources): number {
  const positions = asLimit(config['max_position_embeddings']);
  const shift = offsetPositions.has(String(config['model_type'])) ? 2 : 0;
  // sentence-transformers' own figure replaces the tokeniser's; both stay within the positions.
  const own = asLimit(sentenceConfig?.['max_seq_length']) ?? asLimit(tokenizerConfig['model_max_length']);
  const stated = [positions && positions - shift, own, limits.textTokensMax].filter((limit) => limit !== undefined);
  // 512: what BERT and most of its kin take.
  return stated.length > 0 ? Math.min(...stated) : 512;
}

function asLimit(value: unknown): number | undefined {
  // Above 2^20 it is a way to say "none".
  return typeof value === 'number' && value >= 1 && value <= 1_048_576 ? Math.floor(value) : undefined;
}

/** Throws `input-too-long` with both figures. */
export function checkTokens(tokens: number, limit: number): void {
  if (tokens <= limit) return;
  throw new Problem('input-too-long', `The text has ${tokens} tokens; this model takes ${limit}. Split the text.`);
}
