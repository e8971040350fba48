/** Takes out the spaces that joining words leaves before marks: transformers' `clean_up_tokenization`, in its order. Pure. */

const untidy: readonly (readonly [string, string])[] = [
  [' .', '.'],
  [' ?', '?'],
  [' !', '!'],
  [' ,', ','],
  [" ' ", "'"],
  [" n't", "n't"],
  [" 'm", "'m"],
  [" 's", "'s"],
  [" 've", "'ve"],
  [" 're", "'re"],
];

export function cleanUp(text: string): string {
  return untidy.reduce((tidy, [from, to]) => tidy.replaceAll(from, to), text);
}
