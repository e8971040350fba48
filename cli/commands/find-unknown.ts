/** The first argument that a command does not declare: citty ignores those, and a mistyped --once would serve for ever. Pure. */
import type { ArgsDef } from 'citty';

export function findUnknown(words: readonly string[], args: ArgsDef | object): string | undefined {
  const declared = Object.entries(args as ArgsDef);
  let places = declared.filter(([, { type }]) => type === 'positional').length;
  for (let at = 0; at < words.length; at++) {
    const word = words[at] as string;
    if (!word.startsWith('-')) {
      if (places === 0) return word;
      places--;
      continue;
    }
    const [name = ''] = word.replace(/^--(no-)?/, '').split('=');
    const option = declared.find(([known, { type }]) => known === name && type !== 'positional')?.[1];
    if (!word.startsWith('--') || !option) return word;
    // `--as ner` takes the next word, `--as=ner` brings its own.
    if (option.type !== 'boolean' && !word.includes('=')) at++;
  }
  return undefined;
}
