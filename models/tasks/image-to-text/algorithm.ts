/**
 * The language that diagram models write, read into statements. One statement a line; indentation means nothing:
 *
 *     start                      the first line
 *     input n | output n * 2     what comes in, what goes out
 *     if n > 0 ... else ... end if
 *     while n > 0 ... end while
 *     n = n - 1                  any other line is a step
 *     end                        the last line
 *
 * Pure. A text that is none says at which line it stops being one.
 */
export interface Step {
  readonly kind: 'start' | 'end' | 'input' | 'output' | 'process';
  readonly text: string;
}

export interface Choice {
  readonly kind: 'if';
  readonly condition: string;
  readonly yes: Statement[];
  readonly no: Statement[];
}

export interface Loop {
  readonly kind: 'while';
  readonly condition: string;
  readonly body: Statement[];
}

export type Statement = Step | Choice | Loop;

export interface ParseFault {
  readonly line: number;
  readonly detail: string;
}

/** A model writes 4096 tokens at most; what is longer or deeper is a model gone astray. */
export const linesMax = 1000;
export const depthMax = 50;

interface OpenBlock {
  readonly statement: Choice | Loop;
  readonly line: number;
  /** Set once `else` was read. */
  inElse: boolean;
}

export function parseAlgorithm(text: string): { readonly statements: Statement[] } | { readonly error: ParseFault } {
  const lines = text.split(/\r\n|\r|\n/).map((line) => line.trim().replace(/\s+/g, ' '));
  const written = [...lines.entries()].filter(([, line]) => line !== '');
  const [first] = written;
  if (!first) return fault(1, 'The text is empty; an algorithm begins with `start`.');
  if (first[1] !== 'start') return fault(first[0] + 1, `Expected \`start\`, got \`${quoted(first[1])}\`.`);
  if (written.length > linesMax) return fault(linesMax + 1, `${written.length} lines; at most ${linesMax} are read.`);
  const reader = new Reader();
  for (const [index, line] of written) {
    const detail = reader.read(line, index + 1);
    if (detail) return fault(index + 1, detail);
  }
  const detail = reader.unfinished();
  return detail ? fault(lines.length, detail) : { statements: reader.statements };
}

class Reader {
  readonly statements: Statement[] = [];
  readonly #open: OpenBlock[] = [];

  /** Takes one line in; gives what is wrong with it. */
  read(line: string, number: number): string | null {
    const [word = '', ...others] = line.split(' ');
    const rest = others.join(' ');
    if (this.statements.at(-1)?.kind === 'end') return `\`${quoted(line)}\` stands after \`end\`.`;
    if (word === 'if' || word === 'while') return this.#begin(word, rest, number);
    if (line === 'else') return this.#else();
    if (line === 'end if' || line === 'end while') return this.#close(rest as 'if' | 'while');
    return this.#step(line, word, rest);
  }

  unfinished(): string | null {
    const left = this.#open.at(-1);
    if (left) return `\`${left.statement.kind}\` of line ${left.line} is not closed by \`end ${left.statement.kind}\`.`;
    return this.statements.at(-1)?.kind === 'end' ? null : 'Expected `end` as the last line.';
  }

  #block(): Statement[] {
    const open = this.#open.at(-1);
    if (!open) return this.statements;
    const { statement } = open;
    if (statement.kind === 'while') return statement.body;
    return open.inElse ? statement.no : statement.yes;
  }

  #begin(kind: 'if' | 'while', condition: string, line: number): string | null {
    if (condition === '') return `\`${kind}\` has no condition.`;
    if (this.#open.length === depthMax) return `Blocks are nested deeper than ${depthMax}.`;
    const statement: Choice | Loop =
      kind === 'if' ? { kind, condition, yes: [], no: [] } : { kind, condition, body: [] };
    this.#block().push(statement);
    this.#open.push({ statement, line, inElse: false });
    return null;
  }

  #else(): string | null {
    const open = this.#open.at(-1);
    if (open?.statement.kind !== 'if') return '`else` stands outside an `if`.';
    if (open.inElse) return `\`if\` of line ${open.line} has a second \`else\`.`;
    open.inElse = true;
    return null;
  }

  #close(kind: 'if' | 'while'): string | null {
    const open = this.#open.at(-1);
    if (!open) return `\`end ${kind}\` closes nothing.`;
    if (open.statement.kind !== kind) return `\`end ${kind}\` meets \`${open.statement.kind}\` of line ${open.line}.`;
    this.#open.pop();
    return null;
  }

  #step(line: string, word: string, rest: string): string | null {
    const isBare = word === 'start' || word === 'end' || word === 'else';
    if (isBare && rest !== '') return `\`${word}\` stands alone on its line.`;
    if (word === 'start' && this.statements.length > 0) return '`start` stands on the first line only.';
    if (word === 'end' && this.#open.length > 0) return this.unfinished();
    if ((word === 'input' || word === 'output') && rest === '') return `\`${word}\` names nothing.`;
    const isNamed = isBare || word === 'input' || word === 'output';
    this.#block().push({ kind: isNamed ? (word as Step['kind']) : 'process', text: line });
    return null;
  }
}

function fault(line: number, detail: string): { readonly error: ParseFault } {
  return { error: { line, detail } };
}

/** Text of a model in a message: short. */
function quoted(line: string): string {
  return line.length > 60 ? `${line.slice(0, 60)}…` : line;
}
