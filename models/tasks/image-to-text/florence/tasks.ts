/**
 * Florence-2's tasks: a mark such as `<OD>` stands for the sentence that the model was trained with, and tells how its answer
 * is to be read. As in transformers' Florence2Processor, where the table stands in code too. Pure.
 */
import { Problem } from '../../../../shared/problems/problem.ts';

/** How places in an answer belong to its words; null for plain text. */
export type RegionKind = 'boxes' | 'bare-boxes' | 'quads' | 'polygons' | 'boxes-or-polygons';

interface FlorenceTask {
  readonly sentence: string;
  readonly regions: RegionKind | null;
}

/** What the model is asked, and how its answer is read. */
export type FlorencePrompt = FlorenceTask;

export const usualTask = '<CAPTION>';

/** `{input}` is what the caller writes behind the mark. */
const tasks: Readonly<Record<string, FlorenceTask>> = {
  '<OCR>': { sentence: 'What is the text in the image?', regions: null },
  '<OCR_WITH_REGION>': { sentence: 'What is the text in the image, with regions?', regions: 'quads' },
  '<CAPTION>': { sentence: 'What does the image describe?', regions: null },
  '<DETAILED_CAPTION>': { sentence: 'Describe in detail what is shown in the image.', regions: null },
  '<MORE_DETAILED_CAPTION>': { sentence: 'Describe with a paragraph what is shown in the image.', regions: null },
  '<OD>': { sentence: 'Locate the objects with category name in the image.', regions: 'boxes' },
  '<DENSE_REGION_CAPTION>': {
    sentence: 'Locate the objects in the image, with their descriptions.',
    regions: 'boxes',
  },
  '<REGION_PROPOSAL>': { sentence: 'Locate the region proposals in the image.', regions: 'bare-boxes' },
  '<CAPTION_TO_PHRASE_GROUNDING>': { sentence: 'Locate the phrases in the caption: {input}', regions: 'boxes' },
  '<REFERRING_EXPRESSION_SEGMENTATION>': { sentence: 'Locate {input} in the image with mask', regions: 'polygons' },
  '<REGION_TO_SEGMENTATION>': { sentence: 'What is the polygon mask of region {input}', regions: 'polygons' },
  '<OPEN_VOCABULARY_DETECTION>': { sentence: 'Locate {input} in the image.', regions: 'boxes-or-polygons' },
  '<REGION_TO_CATEGORY>': { sentence: 'What is the region {input}?', regions: null },
  '<REGION_TO_DESCRIPTION>': { sentence: 'What does the region {input} describe?', regions: null },
  '<REGION_TO_OCR>': { sentence: 'What text is in the region {input}?', regions: null },
};

/** A prompt without a known mark is asked as it stands. Throws where a mark and what stands behind it do not fit. */
export function readFlorencePrompt(prompt: string): FlorencePrompt {
  const mark = Object.keys(tasks).find((known) => prompt.includes(known));
  const task = mark === undefined ? undefined : tasks[mark];
  if (mark === undefined || !task) return { sentence: prompt, regions: null };
  const input = prompt.replace(mark, '').trim();
  const takesInput = task.sentence.includes('{input}');
  if (takesInput && input === '')
    throw refusal(`The task ${mark} takes words or a region behind its mark, such as "${mark}a green car".`);
  if (!takesInput && input !== '')
    throw refusal(`The task ${mark} takes nothing else; got "${input.slice(0, 40)}" beside it. Send "${mark}" alone.`);
  return { ...task, sentence: task.sentence.replace('{input}', () => input) };
}

function refusal(detail: string): Problem {
  return new Problem('validation-failed', detail, { errors: [{ pointer: '/parameters/prompt', detail }] });
}
