/** What a test must know of PromQL: which series an expression names, and how to ask for its values without conditions. */

const words = new Set(
  'and or unless by without on ignoring group_left group_right bool offset sum max min avg count topk bottomk'.split(
    ' ',
  ),
);
/** Clauses that list labels. */
const labelLists = /\b(by|without|on|ignoring|group_left|group_right)\s*\(([^)]*)\)/g;

export interface Names {
  /** Metric -> labels that its matchers name. */
  readonly metrics: ReadonlyMap<string, ReadonlySet<string>>;
  /** Labels that clauses name. */
  readonly labels: ReadonlySet<string>;
}

/** A comparison filters; with `bool` it tells 0 or 1, so that an alert that does not fire has a value all the same. */
export function withoutConditions(expr: string): string {
  return expr.replaceAll(/ (==|!=|>=|<=|>|<) (?!bool\b)/g, ' $1 bool ');
}

/** Grafana's variables at "All", and its interval. */
export function fillVariables(expr: string): string {
  return expr.replaceAll('$__rate_interval', '10s').replaceAll(/\$\{?\w+\}?/g, '.*');
}

export function namesIn(expr: string): Names {
  const labels = new Set<string>();
  const bare = expr.replaceAll(labelLists, (_, _clause, list: string) => {
    for (const label of list.split(',')) if (label.trim() !== '') labels.add(label.trim());
    return ' ';
  });
  const metrics = new Map<string, Set<string>>();
  // A name, then its matchers if it has any; a name before a bracket is a function.
  const named = /"(?:[^"\\]|\\.)*"|\[[^\]]*\]|\d[\w.]*|([a-zA-Z_:][\w:]*)\s*(\(|\{((?:"(?:[^"\\]|\\.)*"|[^}"])*)\})?/g;
  for (const [, name, after, matchers = ''] of bare.matchAll(named)) {
    if (name === undefined || after === '(' || words.has(name)) continue;
    const known = metrics.get(name) ?? new Set<string>();
    for (const [, label] of matchers.matchAll(/(\w+)\s*(?:=~|!~|!=|=)/g)) known.add(label as string);
    metrics.set(name, known);
  }
  return { metrics, labels };
}
