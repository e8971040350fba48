/** The text that a model wrote, in the format that the caller wants. Pure: `postprocess` and `merge` may call it. */
import { parseAlgorithm } from './algorithm.ts';
import type { DiagramFormat, Formatted } from './contract.ts';
import { toGraph } from './diagram-graph.ts';
import { toMermaid } from './mermaid.ts';
import { toPseudocode } from './pseudocode.ts';

/** A text that is no algorithm gives `error`, with the line and what is wrong there; nothing is thrown. */
export function formatText(text: string, format: DiagramFormat): Formatted {
  const parsed = parseAlgorithm(text);
  if ('error' in parsed) return { format, error: parsed.error };
  const { statements } = parsed;
  if (format === 'pseudocode') return { format, text: toPseudocode(statements) };
  const graph = toGraph(statements);
  return format === 'json' ? { format, graph } : { format, text: toMermaid(graph) };
}
