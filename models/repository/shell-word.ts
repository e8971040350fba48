/** A path as one word of a POSIX shell, so that the command of an error message works as it stands. Pure. */

export function shellWord(text: string): string {
  return /^[A-Za-z0-9_./:@%+=-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}
