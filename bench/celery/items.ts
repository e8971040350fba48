/** What is sent to each model, as it stands under `input` of a request to either side. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { textsOf } from '../end-to-end/texts.ts';

const itemsMax = 256;
const documentsPerQuery = 4;
/** The small vocabulary of the no-op model has a token per letter or two: a text this short has about as many as a sentence. */
const briefCharactersMax = 40;

export function sentences(): string[] {
  const sentenceAt = textsOf('short');
  return Array.from({ length: itemsMax }, (_, index) => sentenceAt(index));
}

export function briefSentences(): string[] {
  const sentenceAt = textsOf('short');
  return Array.from({ length: 8 * itemsMax }, (_, index) => sentenceAt(index))
    .filter(({ length }) => length <= briefCharactersMax)
    .slice(0, itemsMax);
}

/** A sentence and four others to put in order. */
export function rankings(): object[] {
  const texts = sentences();
  return texts.map((query, index) => ({
    query,
    documents: Array.from({ length: documentsPerQuery }, (_, at) => texts[(index + at + 1) % texts.length]),
  }));
}

/** The field `text` of a file of JSON lines. */
export function textLines(path: string): string[] {
  const lines = readFileSync(path, 'utf8').split('\n').filter(Boolean).slice(0, itemsMax);
  return lines.map((line) => (JSON.parse(line) as { text: string }).text);
}

/** Files of a folder in base64, evenly spread over the whole of it. */
export function filesOf(folder: string, pattern: RegExp): object[] {
  const names = readdirSync(folder)
    .filter((name) => pattern.test(name))
    .toSorted();
  if (names.length === 0) throw new Error(`${folder} has no file like ${pattern}.`);
  const count = Math.min(itemsMax, names.length);
  return Array.from({ length: count }, (_, index) => {
    const name = names[Math.floor((index * names.length) / count)] as string;
    return { data: readFileSync(join(folder, name)).toString('base64') };
  });
}
