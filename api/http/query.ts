/** Query parameters: known ones only, each once. */
import { Problem } from '../../shared/problems/problem.ts';
import type { Call } from './call.ts';

/** Throws `invalid-parameter` naming the parameter; its value is never echoed. */
export function readQuery<Name extends string>(call: Call, known: readonly Name[]): Partial<Record<Name, string>> {
  const values: Partial<Record<Name, string>> = {};
  if (!call.hasQuery) return values;
  for (const [name, value] of call.query) {
    const found = known.find((candidate) => candidate === name);
    if (found === undefined) {
      throw badParameter(name, `Unknown query parameter. Known: ${known.join(', ') || 'none'}.`);
    }
    if (values[found] !== undefined) throw badParameter(name, 'The query parameter comes more than once.');
    values[found] = value;
  }
  return values;
}

export function badParameter(name: string, detail: string): Problem {
  const shown = name.slice(0, 50);
  return new Problem('invalid-parameter', `${shown}: ${detail}`, { errors: [{ pointer: `?${shown}`, detail }] });
}
