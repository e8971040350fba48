/**
 * A step that changes a text, said once and done two ways: on a plain text, and on one that remembers where its units
 * came from. Pure.
 */
import { type AlignedText, AlignedTextBuilder } from '../aligned-text.ts';

export interface Rewrite {
  apply(text: string): string;
  follow(aligned: AlignedText): AlignedText;
}

/** `text` in place of units `from..to`; an empty range inserts. Edits come in order and do not overlap. */
export interface Edit {
  readonly from: number;
  readonly to: number;
  readonly text: string;
}

export function rewriteBy(findEdits: (text: string) => readonly Edit[]): Rewrite {
  return {
    apply(text) {
      const edits = findEdits(text);
      if (edits.length === 0) return text;
      let out = '';
      let at = 0;
      for (const edit of edits) {
        out += text.slice(at, edit.from) + edit.text;
        at = edit.to;
      }
      return out + text.slice(at);
    },
    follow(aligned) {
      const edits = findEdits(aligned.text);
      if (edits.length === 0) return aligned;
      const builder = new AlignedTextBuilder(aligned);
      let at = 0;
      for (const edit of edits) {
        builder.keep(at, edit.from);
        builder.replace(edit.from, edit.to, edit.text);
        at = edit.to;
      }
      builder.keep(at, aligned.text.length);
      return builder.finish();
    },
  };
}

/** @param pattern global; an empty match changes nothing. */
export function replaceEach(pattern: RegExp, content: (match: string) => string): Rewrite {
  const { follow } = rewriteBy((text) => {
    const edits: Edit[] = [];
    for (const { 0: match, index } of text.matchAll(pattern)) {
      if (match !== '') edits.push({ from: index, to: index + match.length, text: content(match) });
    }
    return edits;
  });
  return { apply: (text) => text.replace(pattern, (match) => (match === '' ? '' : content(match))), follow };
}

export function inSequence(steps: readonly Rewrite[]): Rewrite {
  return {
    apply: (text) => steps.reduce((done, step) => step.apply(done), text),
    follow: (aligned) => steps.reduce((done, step) => step.follow(done), aligned),
  };
}

/** White space by Unicode, which is not JavaScript's: with U+0085, without U+FEFF. */
const whiteSpace = /^\p{White_Space}$/u;

export function stripEnds(left: boolean, right: boolean): Rewrite {
  return rewriteBy((text) => {
    let [from, to] = [0, text.length];
    // No white space lies beyond the basic plane.
    while (left && from < to && whiteSpace.test(text[from] ?? '')) from++;
    while (right && from < to && whiteSpace.test(text[to - 1] ?? '')) to--;
    const edits = [
      { from: 0, to: from, text: '' },
      { from: to, to: text.length, text: '' },
    ];
    return edits.filter((edit) => edit.from < edit.to);
  });
}

/** What is put before a text stands for the text's first character, as in Rust; an empty text stays so. */
export function prepend(prefix: string): Rewrite {
  const { follow } = rewriteBy((text) => {
    if (text === '' || prefix === '') return [];
    const first = String.fromCodePoint(text.codePointAt(0) ?? 0);
    return [{ from: 0, to: first.length, text: prefix + first }];
  });
  return { apply: (text) => (text === '' ? text : prefix + text), follow };
}
