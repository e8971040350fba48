/** One line of the doctor: what was looked at, what was measured, and the command that mends it. Pure. */
import type { Paint } from '../terminal/paint.ts';

export type Level = 'ok' | 'warn' | 'fail';

export interface Finding {
  readonly name: string;
  readonly level: Level;
  /** The measured value. */
  readonly detail: string;
  /** What to type, or what to do when no command can do it; null while all is well. */
  readonly fix: string | null;
}

export const ok = (name: string, detail: string): Finding => ({ name, level: 'ok', detail, fix: null });
export const warn = (name: string, detail: string, fix: string): Finding => ({ name, level: 'warn', detail, fix });
export const fail = (name: string, detail: string, fix: string): Finding => ({ name, level: 'fail', detail, fix });

/** `warn` from the first bound on, `fail` from the second. */
export function levelOf(value: number, warnFrom: number, failFrom: number): Level {
  if (value >= failFrom) return 'fail';
  return value >= warnFrom ? 'warn' : 'ok';
}

export function renderFindings(title: string, findings: readonly Finding[], paint: Paint): string {
  const width = Math.max(...findings.map(({ name }) => name.length));
  const lines = findings.flatMap(({ name, level, detail, fix }) => [
    `${signOf(level, paint)}  ${name.padEnd(width)}  ${detail}`,
    ...(fix === null ? [] : [`${' '.repeat(width + 8)}${paint.dim('fix:')} ${fix.replaceAll('\n', ' ')}`]),
  ]);
  return `${lines.join('\n')}\n\n${title}: ${verdict(findings)}\n`;
}

function signOf(level: Level, paint: Paint): string {
  if (level === 'ok') return paint.green('ok  ');
  return level === 'warn' ? paint.yellow('warn') : paint.red('FAIL');
}

function verdict(findings: readonly Finding[]): string {
  const count = (level: Level) => findings.filter((finding) => finding.level === level).length;
  const [failed, warned] = [count('fail'), count('warn')];
  if (failed === 0 && warned === 0) return `all ${findings.length} are well`;
  return `${failed} to mend, ${warned} to look at, ${count('ok')} well`;
}
