/**
 * What a vision-language model is asked, by the format that the caller wants. A manifest may put its own prompts in their
 * place. Formats that show a graph ask for one, since a drawing may go where no structured algorithm can; pseudo-code asks
 * for the language of algorithm.ts. Pure.
 */
import { nodeKinds, type Wish } from './contract.ts';

export type PromptName = NonNullable<Wish['format']>;

const graph = `Read the flowchart in this picture as a graph. Answer with one JSON object and nothing else:
{"nodes": [{"id": "n1", "kind": "start", "text": "start"}], "edges": [{"from": "n1", "to": "n2", "label": "yes"}]}
- One node per shape, in reading order, with the text that stands in it, in its own language.
- "kind" is one of ${nodeKinds.join(', ')}: ovals are start and end, slanted boxes input and output, boxes process, diamonds decision.
- One edge per arrow. "label" is "yes" or "no" on the arrows that leave a decision, and is left out on all others.`;

const algorithm = `Read the flowchart in this picture as an algorithm. Answer with its lines and nothing else, one statement a line:
start                  the first line
input n                what comes in
output n * 2           what goes out
if n > 0 / else / end if           a decision whose branches meet again; "else" may be left out
while n > 0 / end while            a decision that an arrow leads back to
n = n - 1              any other step, as it stands in its box
end                    the last line
Write conditions and steps as they stand in the picture, in their own language.`;

const text = `Write what this picture says. If it shows text, give that text as it stands, line by line, in its own language. \
Otherwise describe in one sentence what it shows. Answer with nothing else.`;

export const defaultPrompts: Readonly<Record<PromptName, string>> = {
  text,
  mermaid: graph,
  json: graph,
  pseudocode: algorithm,
};

/** A caller's own words replace ours; where the answer will be read, what it must look like is said after them. */
export function promptOf(
  { prompt, format = 'text' }: Pick<Wish, 'prompt' | 'format'>,
  prompts: Readonly<Record<string, string>>,
): string {
  const own = prompts[format] ?? defaultPrompts[format];
  if (prompt === undefined || prompt.trim() === '') return own;
  return format === 'text' ? prompt : `${prompt}\n\n${own}`;
}
