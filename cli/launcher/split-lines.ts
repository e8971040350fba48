/** Cuts a stream into lines with a bounded memory: a child that writes without line ends must not fill the launcher. */
import type { Readable } from 'node:stream';

/** Longer lines are cut. The longest honest line, a stack trace in JSON, is a few KB. */
const lineCharactersMax = 64 * 1024;

export function splitLines(stream: Readable, onLine: (line: string) => void): void {
  let rest = '';
  stream.setEncoding('utf8');
  stream.on('data', (chunk: string) => {
    const parts = (rest + chunk).split('\n');
    rest = parts.pop() ?? '';
    for (const part of parts) emit(part, onLine);
    if (rest.length > lineCharactersMax) {
      emit(rest, onLine);
      rest = '';
    }
  });
  stream.on('end', () => {
    if (rest !== '') emit(rest, onLine);
  });
  stream.on('error', () => {});
}

function emit(line: string, onLine: (line: string) => void): void {
  const text = line.endsWith('\r') ? line.slice(0, -1) : line;
  if (text !== '') onLine(text.length > lineCharactersMax ? `${text.slice(0, lineCharactersMax)}...` : text);
}
