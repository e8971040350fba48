/** A graph as a Mermaid flowchart. Pure. */
import type { DiagramGraph } from './contract.ts';

type Kind = DiagramGraph['nodes'][number]['kind'];

const shapes: Readonly<Record<Kind, readonly [string, string]>> = {
  start: ['([', '])'],
  end: ['([', '])'],
  input: ['[/', '/]'],
  output: ['[/', '/]'],
  process: ['[', ']'],
  decision: ['{', '}'],
};

/** What a label would be read for by Mermaid, or by the page that shows it, goes as an entity: a model writes it. */
const entities: Readonly<Record<string, string>> = {
  '#': '#35;',
  '"': '#quot;',
  '&': '#amp;',
  '<': '#lt;',
  '>': '#gt;',
};

export function toMermaid({ nodes, edges }: DiagramGraph): string {
  const boxes = nodes.map(({ id, kind, text }) => {
    const [left, right] = shapes[kind];
    return `  ${id}${left}"${text.replace(/["#&<>]/g, (sign) => entities[sign] ?? sign)}"${right}`;
  });
  const arrows = edges.map(({ from, to, label }) => `  ${from} ${label ? `-- ${label} ` : ''}--> ${to}`);
  return `${['flowchart TD', ...boxes, ...arrows].join('\n')}\n`;
}
