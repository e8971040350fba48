/** What a diagram's text becomes in each format, and what a text that is no algorithm becomes. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { depthMax, linesMax, parseAlgorithm } from './algorithm.ts';
import { type DiagramGraph, diagramFormats, formattedSchema } from './contract.ts';
import { formatText } from './format-text.ts';

const countdown = `start
input n
while n > 0
if n % 2 == 0
output n
else
n = n - 1
end if
end while
output "done"
end`;

function graphOf(text: string): DiagramGraph {
  const formatted = formatText(text, 'json');
  assert.ok('graph' in formatted, JSON.stringify(formatted));
  return formatted.graph;
}

function textOf(text: string, format: 'mermaid' | 'pseudocode'): string {
  const formatted = formatText(text, format);
  assert.ok('text' in formatted, JSON.stringify(formatted));
  return formatted.text;
}

function arrowsOf(text: string): string[] {
  const { nodes, edges } = graphOf(text);
  const name = (id: string) => nodes.find((node) => node.id === id)?.text;
  return edges.map(({ from, to, label }) => `${name(from)} ${label ?? '-'} ${name(to)}`);
}

describe('the graph of an algorithm', () => {
  it('has a node per statement in the order of writing, and none for else and ends of blocks', () => {
    const kinds = graphOf(countdown).nodes.map(({ id, kind, text }) => [id, kind, text].join(' '));
    assert.deepEqual(kinds, [
      'n1 start start',
      'n2 input input n',
      'n3 decision n > 0',
      'n4 decision n % 2 == 0',
      'n5 output output n',
      'n6 process n = n - 1',
      'n7 output output "done"',
      'n8 end end',
    ]);
  });

  it('leads both branches of a choice, and only then the loop, back to the condition', () => {
    assert.deepEqual(arrowsOf(countdown), [
      'start - input n',
      'input n - n > 0',
      'n > 0 yes n % 2 == 0',
      'n % 2 == 0 yes output n',
      'n % 2 == 0 no n = n - 1',
      'output n - n > 0',
      'n = n - 1 - n > 0',
      'n > 0 no output "done"',
      'output "done" - end',
    ]);
  });

  it('leads an empty branch straight on, and an empty loop to itself', () => {
    assert.deepEqual(arrowsOf('start\nif a < b\nx = 1\nend if\nwhile c > 0\nend while\nend'), [
      'start - a < b',
      'a < b yes x = 1',
      'x = 1 - c > 0',
      'a < b no c > 0',
      'c > 0 yes c > 0',
      'c > 0 no end',
    ]);
  });
});

describe('the Mermaid text', () => {
  it('draws each kind in its shape and labels the arrows of decisions', () => {
    assert.equal(
      textOf('start\ninput n\nif n == 0\nn = 1\nend if\nend', 'mermaid'),
      `flowchart TD
  n1(["start"])
  n2[/"input n"/]
  n3{"n == 0"}
  n4["n = 1"]
  n5(["end"])
  n1 --> n2
  n2 --> n3
  n3 -- yes --> n4
  n4 --> n5
  n3 -- no --> n5
`,
    );
  });

  it('writes signs that end a label or begin markup as entities', () => {
    const label = '  n2["x = #quot;#lt;b#gt;#35;1#amp;#quot;"]';
    assert.ok(textOf('start\nx = "<b>#1&"\nend', 'mermaid').includes(label));
  });
});

describe('the pseudo-code', () => {
  it('indents what stands in a block', () => {
    const lines = textOf(countdown, 'pseudocode').split('\n');
    assert.deepEqual(lines.slice(2, 9), [
      'while n > 0',
      '  if n % 2 == 0',
      '    output n',
      '  else',
      '    n = n - 1',
      '  end if',
      'end while',
    ]);
  });

  it('is the same algorithm when it is read again', () => {
    assert.deepEqual(parseAlgorithm(textOf(countdown, 'pseudocode')), parseAlgorithm(countdown));
  });
});

describe('a text that is no algorithm', () => {
  const cases: readonly [text: string, line: number, detail: RegExp][] = [
    ['', 1, /empty/],
    ['a cat on a mat', 1, /Expected `start`, got `a cat on a mat`/],
    ['start\nx = 1', 2, /Expected `end`/],
    ['start\nif a\nend', 3, /`if` of line 2 is not closed/],
    ['start\nwhile a\nx = 1', 3, /`while` of line 2 is not closed/],
    ['start\nif a\nend while\nend', 3, /`end while` meets `if` of line 2/],
    ['start\nend if\nend', 2, /closes nothing/],
    ['start\nelse\nend', 2, /outside an `if`/],
    ['start\nwhile a\nelse\nend while\nend', 3, /outside an `if`/],
    ['start\nif a\nelse\nelse\nend if\nend', 4, /second `else`/],
    ['start\nif\nend if\nend', 2, /no condition/],
    ['start\ninput\nend', 2, /names nothing/],
    ['start\nstart\nend', 2, /first line only/],
    ['start\nend\nx = 1', 3, /after `end`/],
    ['start\nend of story', 2, /stands alone/],
    ['start\nif a\nelse if b\nend if\nend', 3, /`else` stands alone/],
    [`start\n${'if a\n'.repeat(depthMax + 1)}`, depthMax + 2, /deeper than 50/],
    [`start\n${'x = 1\n'.repeat(linesMax)}end`, linesMax + 1, /at most 1000/],
  ];
  for (const [text, line, detail] of cases) {
    it(`says where it stops being one: ${JSON.stringify(text.slice(0, 40))}`, () => {
      for (const format of diagramFormats) {
        const formatted = formattedSchema.parse(formatText(text, format));
        assert.ok('error' in formatted);
        assert.equal(formatted.error.line, line);
        assert.match(formatted.error.detail, detail);
      }
    });
  }

  it('is quoted in short', () => {
    const formatted = formatText('word '.repeat(5000), 'mermaid');
    assert.ok('error' in formatted && formatted.error.detail.length < 120);
  });
});
