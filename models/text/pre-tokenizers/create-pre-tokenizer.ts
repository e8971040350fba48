/**
 * The pre-tokeniser that tokenizer.json names, as Hugging Face's Rust tokenisers run it: steps that cut a text into pieces
 * or change each piece. The pieces are the "words" of an encoding.
 */
import { prepend, type Rewrite, replaceEach } from '../normalizers/rewrite.ts';
import { spellAsBytes } from '../normalizers/spell-as-bytes.ts';
import { punctuation, wordLetter } from '../rust-classes.ts';
import { type CompilePattern, type StepConfig, unknownStep } from '../step-config.ts';
import { matchesIn, type Range, type SplitWay, splitText } from './split-text.ts';

export type PreStep =
  | { readonly kind: 'cut'; cut(text: string): readonly Range[] }
  /** `isFirst`: the piece is what the whole text begins with. Null leaves it as it is. */
  | { readonly kind: 'change'; rewriteFor(text: string, isFirst: boolean): Rewrite | null };

export function createPreTokenizer(config: StepConfig | null, compile: CompilePattern): readonly PreStep[] {
  if (config === null) return [];
  const way = (fallback: SplitWay) => (config['behavior'] ?? fallback) as SplitWay;
  switch (config.type) {
    case 'Sequence':
      return ((config['pretokenizers'] ?? []) as StepConfig[]).flatMap((inner) => createPreTokenizer(inner, compile));
    case 'BertPreTokenizer':
      return [cutOut(wordOrMark)];
    case 'Whitespace':
      return [cutOut(wordOrSigns)];
    case 'WhitespaceSplit':
      return [cutOut(/\P{White_Space}+/gu)];
    case 'Punctuation':
      return [cutAt(punctuationMark, way('Isolated'))];
    case 'Digits':
      return [cutAt(/\p{N}/gu, config['individual_digits'] === true ? 'Isolated' : 'Contiguous')];
    case 'CharDelimiterSplit':
      return [cutAt(compile({ String: config['delimiter'] }), 'Removed')];
    case 'Split':
      return [cutAt(compile(config['pattern']), way('Isolated'), config['invert'] === true)];
    case 'FixedLength':
      return [cutAt(new RegExp(`.{1,${Number(config['length'] ?? 5)}}`, 'gsu'), 'Isolated')];
    case 'Metaspace':
      return metaspace(config);
    case 'ByteLevel':
      return byteLevel(config);
    default:
      throw unknownStep('pre_tokenizer', config);
  }
}

const punctuationMark = new RegExp(punctuation, 'gv');
const wordOrMark = new RegExp(`[\\P{White_Space}--${punctuation}]+|${punctuation}`, 'gv');

/** Rust's `\w+|[^\w\s]+`. */
const wordOrSigns = new RegExp(`${wordLetter}+|[^${wordLetter}\\p{White_Space}]+`, 'gv');

function cutOut(pattern: RegExp): PreStep {
  return { kind: 'cut', cut: (text) => matchesIn(text, pattern) };
}

function cutAt(pattern: RegExp, way: SplitWay, isInverted = false): PreStep {
  return { kind: 'cut', cut: (text) => splitText(text, pattern, way, isInverted) };
}

function metaspace(config: StepConfig): PreStep[] {
  const mark = String(config['replacement'] ?? '▁');
  // Older files say only whether a mark is put before the text at all.
  const scheme = config['add_prefix_space'] === false ? 'never' : (config['prepend_scheme'] ?? 'always');
  const markSpaces = replaceEach(/ /g, () => mark);
  const prefix = prepend(mark);
  const marks = (text: string, isFirst: boolean) =>
    !text.startsWith(mark) && (scheme === 'always' || (scheme === 'first' && isFirst));
  return [
    { kind: 'change', rewriteFor: () => markSpaces },
    { kind: 'change', rewriteFor: (text, isFirst) => (marks(text, isFirst) ? prefix : null) },
    ...(config['split'] === false ? [] : [cutAt(new RegExp(RegExp.escape(mark), 'gu'), 'MergedWithNext')]),
  ];
}

/** GPT-2's own expression. */
const gpt2 =
  /'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\p{White_Space}\p{L}\p{N}]+|\p{White_Space}+(?!\P{White_Space})|\p{White_Space}+/gu;

function byteLevel(config: StepConfig): PreStep[] {
  const space = prepend(' ');
  return [
    ...(config['add_prefix_space'] === false
      ? []
      : [{ kind: 'change', rewriteFor: (text: string) => (text.startsWith(' ') ? null : space) } as const]),
    ...(config['use_regex'] === false ? [] : [cutAt(gpt2, 'Isolated')]),
    { kind: 'change', rewriteFor: () => spellAsBytes },
  ];
}
