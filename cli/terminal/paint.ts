/** Colours for a terminal, and none elsewhere: NO_COLOR, FORCE_COLOR and "is it a terminal" decide once. */
import { styleText } from 'node:util';

export interface Paint {
  readonly isColoured: boolean;
  plain(text: string): string;
  bold(text: string): string;
  dim(text: string): string;
  red(text: string): string;
  green(text: string): string;
  yellow(text: string): string;
  cyan(text: string): string;
  /** One of a few colours, the same for the same index. */
  nth(index: number, text: string): string;
}

const nthColours = ['cyan', 'magenta', 'yellow', 'green', 'blue', 'red'] as const;

export function createPaint(isTerminal: boolean, env: Readonly<Record<string, string | undefined>>): Paint {
  const isColoured = env['NO_COLOR'] ? false : isTerminal || Boolean(env['FORCE_COLOR'] && env['FORCE_COLOR'] !== '0');
  const style = (format: Parameters<typeof styleText>[0]) => (text: string) =>
    isColoured ? styleText(format, text, { validateStream: false }) : text;
  return {
    isColoured,
    plain: (text) => text,
    bold: style('bold'),
    dim: style('dim'),
    red: style('red'),
    green: style('green'),
    yellow: style('yellow'),
    cyan: style('cyan'),
    nth: (index, text) => style(nthColours[index % nthColours.length] ?? 'cyan')(text),
  };
}
