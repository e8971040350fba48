/**
 * What a vision-language model wrote, in the format that the caller wants. It may have written an algorithm, or a graph as
 * JSON, with or without a fence around it. A text that is neither says where, and fails no item. Pure.
 */
import { type DiagramFormat, type DiagramGraph, type Formatted, graphSchema } from './contract.ts';
import { formatText } from './format-text.ts';
import { toMermaid } from './mermaid.ts';

/** What a picture of 2,048 pixels can show; more is a model that repeats itself. */
const nodesMax = 1000;

export function formatWritten(text: string, format: DiagramFormat): Formatted {
  const { inner, line } = unfenced(text);
  if (!inner.trimStart().startsWith('{')) return shifted(formatText(inner, format), line);
  const read = readGraph(inner);
  if ('detail' in read) return { format, error: { line: line + 1, detail: read.detail } };
  if (format === 'json') return { format, graph: read.graph };
  if (format === 'mermaid') return { format, text: toMermaid(read.graph) };
  return { format, error: { line: line + 1, detail: 'The model wrote a graph, and not every graph is pseudo-code.' } };
}

/** The text within a Markdown fence, and how many lines stand before it. */
function unfenced(text: string): { readonly inner: string; readonly line: number } {
  const fence = /(?:^|\n)[ \t]*```[^\n]*\n([\s\S]*?)(?:\n[ \t]*```|$)/.exec(text);
  const [whole = '', inner] = fence ?? [];
  if (fence === null || inner === undefined) return { inner: text, line: 0 };
  const start = fence.index + whole.indexOf(inner, whole.indexOf('```'));
  return { inner, line: text.slice(0, start).split('\n').length - 1 };
}

/** Lines of an error count in the whole text. */
function shifted(formatted: Formatted, lines: number): Formatted {
  if (!('error' in formatted)) return formatted;
  const { line, detail } = formatted.error;
  return { ...formatted, error: { line: line + lines, detail } };
}

function readGraph(text: string): { readonly graph: DiagramGraph } | { readonly detail: string } {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return { detail: 'The graph is not JSON, or is cut off.' };
  }
  const parsed = graphSchema.safeParse(value);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    return { detail: `The graph has a fault at ${issue?.path.join('.') || 'its top'}: ${issue?.message}` };
  }
  return renumbered(parsed.data);
}

/** Ids of ours: a model's own could be read as Mermaid's words. An arrow from or to nowhere makes no graph. */
function renumbered({ nodes, edges }: DiagramGraph): ReturnType<typeof readGraph> {
  if (nodes.length > nodesMax || edges.length > 2 * nodesMax)
    return { detail: `The graph has ${nodes.length} nodes and ${edges.length} edges; ${nodesMax} nodes are read.` };
  const ids = new Map(nodes.map(({ id }, index) => [id, `n${index + 1}`]));
  if (ids.size < nodes.length) return { detail: 'Two nodes of the graph have the same id.' };
  const stray = edges.find(({ from, to }) => !ids.has(from) || !ids.has(to));
  if (stray) return { detail: 'An edge of the graph leads from or to a node that is not there.' };
  const idOf = (id: string) => ids.get(id) as string;
  return {
    graph: {
      nodes: nodes.map((node) => ({ ...node, id: idOf(node.id) })),
      edges: edges.map((edge) => ({ ...edge, from: idOf(edge.from), to: idOf(edge.to) })),
    },
  };
}
