/** What callers send: real sentences (mean 16 tokens), and a mix of 70 % of them with 30 % documents of 256 tokens. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { assetsFolder } from '../../shared/testing/assets.ts';
import { textOf } from '../pipeline/subjects.ts';

export const textMixes = ['short', 'mixed'] as const;
export type TextMix = (typeof textMixes)[number];

const documents = 64;

/** An endless row of texts, the same for everybody who starts at the same place. */
export function textsOf(mix: TextMix): (index: number) => string {
  const sentences = readSentences();
  const long = Array.from({ length: documents }, (_, i) => textOf(256, i));
  return (index) => {
    const isLong = mix === 'mixed' && (index * 7) % 10 >= 7;
    return (isLong ? long[index % documents] : sentences[(index * 13) % sentences.length]) as string;
  };
}

function readSentences(): string[] {
  const path = join(assetsFolder(), 'similarity/stsb-multi-mt/stsb-en-dev.csv');
  if (!existsSync(path)) throw new Error(`This bench needs real sentences: ${path} is absent (set MILLRACE_ASSETS).`);
  // Sentences without commas are not quoted in this file; the others are left out.
  return readFileSync(path, 'utf8')
    .split('\n')
    .filter((line) => line !== '' && !line.includes('"'))
    .flatMap((line) => line.split(',').slice(0, 2));
}
