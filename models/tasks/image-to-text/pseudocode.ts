/** Statements as indented pseudo-code, which is the language of algorithm.ts again. Pure. */
import type { Statement } from './algorithm.ts';

export function toPseudocode(statements: readonly Statement[]): string {
  return `${linesOf(statements, '').join('\n')}\n`;
}

function linesOf(statements: readonly Statement[], indent: string): string[] {
  return statements.flatMap((statement) => {
    const inner = (block: readonly Statement[]) => linesOf(block, `${indent}  `);
    if (statement.kind === 'if') {
      const { condition, yes, no } = statement;
      const other = no.length > 0 ? [`${indent}else`, ...inner(no)] : [];
      return [`${indent}if ${condition}`, ...inner(yes), ...other, `${indent}end if`];
    }
    if (statement.kind === 'while')
      return [`${indent}while ${statement.condition}`, ...inner(statement.body), `${indent}end while`];
    return [`${indent}${statement.text}`];
  });
}
