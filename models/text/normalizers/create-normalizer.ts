/**
 * The normaliser that tokenizer.json names, as Hugging Face's Rust tokenisers run it: ids are then those that a model was
 * trained with (docs/decisions/0022-texts-are-cut-as-rust-cuts-them.md has what differs in JavaScript's).
 */
import { accents, droppedByNmt, spacesToNmt } from '../rust-classes.ts';
import { type CompilePattern, type StepConfig, unknownStep } from '../step-config.ts';
import { bertNormalizer, lowercase } from './bert.ts';
import { precompiled } from './precompiled.ts';
import { inSequence, prepend, type Rewrite, replaceEach, stripEnds } from './rewrite.ts';
import { spellAsBytes } from './spell-as-bytes.ts';
import { unicodeForm } from './unicode-form.ts';

export function createNormalizer(config: StepConfig | null, compile: CompilePattern): Rewrite | null {
  return config === null ? null : create(config, compile);
}

function create(config: StepConfig, compile: CompilePattern): Rewrite {
  const { type } = config;
  switch (type) {
    case 'Sequence':
      return inSequence(((config['normalizers'] ?? []) as StepConfig[]).map((inner) => create(inner, compile)));
    case 'BertNormalizer':
      return bertNormalizer(config);
    case 'Precompiled':
      return precompiled(String(config['precompiled_charsmap'] ?? ''));
    case 'NFC':
    case 'NFD':
    case 'NFKC':
    case 'NFKD':
      return unicodeForm(type);
    case 'Lowercase':
      return lowercase;
    case 'StripAccents':
      return stripAccents;
    case 'Strip':
      return stripEnds(config['strip_left'] !== false, config['strip_right'] !== false);
    case 'Prepend':
      return prepend(String(config['prepend'] ?? ''));
    case 'Replace':
      return replaceEach(compile(config['pattern']), () => String(config['content'] ?? ''));
    case 'Nmt':
      return inSequence([dropForNmt, spaceForNmt]);
    case 'ByteLevel':
      return spellAsBytes;
    default:
      throw unknownStep('normalizer', config);
  }
}

const stripAccents = replaceEach(new RegExp(`${accents}+`, 'gv'), () => '');
const dropForNmt = replaceEach(new RegExp(droppedByNmt, 'gv'), () => '');
const spaceForNmt = replaceEach(new RegExp(spacesToNmt, 'gv'), () => ' ');
