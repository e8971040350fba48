/** Statements as the flowchart that they were read from: boxes, diamonds and arrows. Pure. */
import type { Choice, Loop, Statement } from './algorithm.ts';
import type { DiagramGraph } from './contract.ts';

type Node = DiagramGraph['nodes'][number];
type Edge = DiagramGraph['edges'][number];
/** An arrow that has left its box and looks for the next. */
type Loose = Omit<Edge, 'to'>;

/** Nodes stand in the order of writing; a decision's arrows say `yes` and `no`. */
export function toGraph(statements: readonly Statement[]): DiagramGraph {
  const nodes: Node[] = [];
  const edges: Edge[] = [];

  const add = (kind: Node['kind'], text: string, from: readonly Loose[]): string => {
    const id = `n${nodes.length + 1}`;
    nodes.push({ id, kind, text });
    join(from, id);
    return id;
  };
  const join = (from: readonly Loose[], to: string) => {
    for (const { from: source, label } of from) edges.push({ from: source, to, ...(label && { label }) });
  };
  const block = (inner: readonly Statement[], from: readonly Loose[]): readonly Loose[] =>
    inner.reduce((loose, statement) => place(statement, loose), from);

  const place = (statement: Statement, from: readonly Loose[]): readonly Loose[] => {
    if (statement.kind === 'if') return choice(statement, from);
    if (statement.kind === 'while') return loop(statement, from);
    const id = add(statement.kind, statement.text, from);
    return statement.kind === 'end' ? [] : [{ from: id }];
  };
  const choice = ({ condition, yes, no }: Choice, from: readonly Loose[]): readonly Loose[] => {
    const id = add('decision', condition, from);
    return [...block(yes, [{ from: id, label: 'yes' }]), ...block(no, [{ from: id, label: 'no' }])];
  };
  const loop = ({ condition, body }: Loop, from: readonly Loose[]): readonly Loose[] => {
    const id = add('decision', condition, from);
    join(block(body, [{ from: id, label: 'yes' }]), id);
    return [{ from: id, label: 'no' }];
  };

  block(statements, []);
  return { nodes, edges };
}
