/**
 * What callers send to and get from image to text. `generated_text` is as Hugging Face's pipeline gives it; `format` asks
 * for it once more, read as an algorithm (algorithm.ts has the grammar) and written as a diagram's users want it.
 */
import { z } from 'zod';
import type { TaskContract } from '../../task.ts';

export const diagramFormats = ['mermaid', 'json', 'pseudocode'] as const;
export type DiagramFormat = (typeof diagramFormats)[number];

export const nodeKinds = ['start', 'end', 'input', 'output', 'process', 'decision'] as const;

export const graphSchema = z.strictObject({
  nodes: z.array(z.strictObject({ id: z.string(), kind: z.enum(nodeKinds), text: z.string() })),
  edges: z.array(z.strictObject({ from: z.string(), to: z.string(), label: z.enum(['yes', 'no']).optional() })),
});
export type DiagramGraph = z.infer<typeof graphSchema>;

const pixel = z.int().describe('Pixels of the upright picture, from its top left.');
const corner = [pixel, pixel] as const;

/** A place that a text speaks of (Florence-2). */
export const regionSchema = z.union([
  z.strictObject({ label: z.string(), box: z.tuple([...corner, ...corner]) }),
  z.strictObject({ label: z.string(), quad: z.tuple([...corner, ...corner, ...corner, ...corner]) }),
  z.strictObject({ label: z.string(), polygons: z.array(z.array(pixel)) }),
]);
export type Region = z.infer<typeof regionSchema>;

/** The text in the format that was asked for; a text that is no algorithm says where and why, and fails no item. */
export const formattedSchema = z.union([
  z.strictObject({ format: z.enum(['mermaid', 'pseudocode']), text: z.string() }),
  z.strictObject({ format: z.literal('json'), graph: graphSchema }),
  z.strictObject({
    format: z.enum(diagramFormats),
    error: z.strictObject({ line: z.int().min(1), detail: z.string() }),
  }),
]);
export type Formatted = z.infer<typeof formattedSchema>;

const parameters = z.strictObject({
  max_new_tokens: z
    .int()
    .min(1)
    .max(4096)
    .optional()
    .describe("Tokens to write at most. Default: the model's own; never more than its positions."),
  stop: z
    .array(z.string().min(1).max(64))
    .min(1)
    .max(4)
    .optional()
    .describe('Texts that end the writing; the first that comes is cut off with all after it.'),
  prompt: z
    .string()
    .max(2000)
    .optional()
    .describe(
      'Text that the decoder goes on from, such as Donut\'s "<s_docvqa>"; a question, where the model takes questions. For Florence-2 the task: "<CAPTION>" (default), "<OCR>", "<OD>", "<OCR_WITH_REGION>", "<CAPTION_TO_PHRASE_GROUNDING>a green car" and so on.',
    ),
  temperature: z.number().min(0).max(2).optional().describe('0 takes the likeliest token (default); above 0 samples.'),
  top_k: z.int().min(1).max(1000).optional().describe('Sample among so many of the likeliest tokens.'),
  top_p: z.number().gt(0).max(1).optional().describe('Sample among the likeliest tokens of this total probability.'),
  seed: z.int().min(0).max(4_294_967_295).optional().describe('Makes sampling repeatable.'),
  num_beams: z.int().min(1).max(8).optional().describe('Width of beam search. Default 1: greedy.'),
  format: z
    .enum(['text', ...diagramFormats])
    .optional()
    .describe('Adds `formatted`: the text, read as an algorithm, as Mermaid, a JSON graph or pseudo-code.'),
});

/** A caller's parameters, with the manifest's below them. */
export type Wish = Readonly<z.infer<typeof parameters>>;

const contract: TaskContract = {
  task: 'image-to-text',
  title: 'Image to text',
  description: 'Writes what a picture says: a caption, the words of a scan, the algorithm of a flowchart.',
  media: 'image',
  // Writing a text takes a hundred times what naming a picture does: at high priority it would stand beside speech.
  defaultPriority: 'normal',
  parameters,
  output: z.strictObject({
    generated_text: z.string(),
    finish_reason: z.enum(['stop', 'length']).optional(),
    usage: z
      .strictObject({ prompt_tokens: z.int().min(0), completion_tokens: z.int().min(0) })
      .optional()
      .describe('Tokens of picture and prompt, and of the text, as the server that runs the model counts them.'),
    formatted: formattedSchema.optional(),
    regions: z
      .array(regionSchema)
      .optional()
      .describe('Of Florence-2’s tasks that tell places: box, quad or outlines.'),
  }),
  // As for image classification: 24 MP is what sharp decodes in about 0.3 s and 72 MB.
  limits: { itemBytesMax: 20 * 1024 * 1024, imagePixelsMax: 24_000_000 },
  chat: { prompts: ['text', ...diagramFormats] },
  example: {
    input: { url: 'https://example.com/flowchart.png' },
    parameters: { format: 'pseudocode' },
    output: {
      generated_text: 'start\ninput n\nif n > 0\noutput n\nend if\nend',
      finish_reason: 'stop',
      formatted: { format: 'pseudocode', text: 'start\ninput n\nif n > 0\n  output n\nend if\nend\n' },
    },
  },
};

export default contract;
