/** BERT's normaliser, in Rust's order: clean, set ideographs apart, strip accents, lower-case. */
import { accentsOfBert, controls } from '../rust-classes.ts';
import type { StepConfig } from '../step-config.ts';
import { inSequence, type Rewrite, replaceEach } from './rewrite.ts';
import { unicodeForm } from './unicode-form.ts';

export function bertNormalizer(config: StepConfig): Rewrite {
  const isLower = config['lowercase'] !== false;
  const steps = inSequence([
    ...(config['clean_text'] === false ? [] : [dropControls, plainSpaces]),
    ...(config['handle_chinese_chars'] === false ? [] : [setIdeographsApart]),
    ...((config['strip_accents'] ?? isLower) ? [unicodeForm('NFD'), dropAccents] : []),
    ...(isLower ? [lowercase] : []),
  ]);
  const plainLetters = (text: string) => (isLower ? text.toLowerCase() : text);
  return {
    apply: (text) => (isPlain(text) ? plainLetters(text) : steps.apply(text)),
    follow: (aligned) =>
      isPlain(aligned.text) ? { ...aligned, text: plainLetters(aligned.text) } : steps.follow(aligned),
  };
}

/** Most English is printable ASCII, of which only capitals change: that spares five passes. */
function isPlain(text: string): boolean {
  return /^[ -~]*$/.test(text);
}

const dropControls = replaceEach(new RegExp(`[\\ufffd${controls}]+`, 'gv'), () => '');
const plainSpaces = replaceEach(/[\t\n\r\p{Z}]/gu, () => ' ');
const dropAccents = replaceEach(new RegExp(`${accentsOfBert}+`, 'gv'), () => '');

/** The blocks that Rust lists: U+2B820 to U+2B91F, which BERT's own code has, are not among them. */
const setIdeographsApart = replaceEach(
  /[\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\u{20000}-\u{2a6df}\u{2a700}-\u{2b73f}\u{2b740}-\u{2b81f}\u{2b920}-\u{2ceaf}\u{2f800}-\u{2fa1f}]/gu,
  (ideograph) => ` ${ideograph} `,
);

/** Character by character: a sigma at the end of a word is as any other. */
export const lowercase = replaceEach(/\p{Changes_When_Lowercased}/gu, (letter) => letter.toLowerCase());
