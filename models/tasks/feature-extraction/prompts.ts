/**
 * Words that a model wants before a text: "query: ", say. A sentence-transformers folder names them; a caller picks one by
 * name or brings its own.
 */
import { Problem } from '../../../shared/problems/problem.ts';
import type { ModelFiles } from '../../repository/model-files.ts';
import { readJson } from '../../repository/version-files.ts';

export interface PromptWish {
  readonly prompt_name?: string;
  readonly prompt?: string;
}

/** The words for a wish; '' for none. Throws Problem for a name that the model does not have. */
export type PickPrompt = (wish: PromptWish) => string;

export async function readPrompts(files: ModelFiles): Promise<PickPrompt> {
  const config = (await readJson(files, 'config_sentence_transformers.json')) ?? {};
  const prompts = new Map(Object.entries((config['prompts'] ?? {}) as Readonly<Record<string, string>>));
  const byDefault = config['default_prompt_name'];
  return ({ prompt, prompt_name }) => {
    // As in sentence-transformers, words win over a name, and a name over the default.
    if (prompt !== undefined) return prompt;
    const name = prompt_name ?? (typeof byDefault === 'string' ? byDefault : undefined);
    if (name === undefined) return '';
    const words = prompts.get(name);
    if (words !== undefined) return words;
    throw unknownPrompt(name, [...prompts.keys()]);
  };
}

function unknownPrompt(name: string, known: readonly string[]): Problem {
  const has =
    known.length > 0 ? `has ${known.slice(0, 20).join(', ')}` : 'names no prompts; send the words as `prompt`';
  const detail = `\`prompt_name\` is ${JSON.stringify(name.slice(0, 100))}; this model ${has}.`;
  return new Problem('validation-failed', detail, { errors: [{ pointer: '/parameters/prompt_name', detail }] });
}
