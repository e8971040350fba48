/**
 * Calls of a model's encoder: one graph, or several where pictures and prompts are read together (Florence-2: the
 * picture's features and the prompt's embeddings, side by side, go through one encoder of texts).
 */
import type { BatchTensor } from '../task.ts';
import type { Engine, Tensors } from './engine.ts';
import { joinLengths, ones } from './row-tensors.ts';

/** Feeds of a chunk of rows, as the plan collates them -> what the decoder is to see, one row each. */
export type Encode = (feeds: Tensors) => Promise<Tensors>;

/** What decoders call the mask of the encoder's states. */
export const maskName = 'encoder_attention_mask';

export function createEncode(engine: Engine, sessions: readonly string[]): Encode {
  const encode = async (feeds: Tensors) => {
    const states = await engine.run('encoder', feeds);
    const mask = feeds['attention_mask'];
    return mask ? { ...states, [maskName]: mask } : states;
  };
  if (!sessions.includes('vision_encoder')) return encode;
  return async ({ pixel_values, input_ids }) => {
    if (!pixel_values || !input_ids) throw new Error('The encoder wants pixel_values and the input_ids of a prompt.');
    const seen = onlyOutput(await engine.run('vision_encoder', { pixel_values }), 'vision_encoder');
    const embeddings = joinLengths([seen, await embed(engine, input_ids)]);
    return await encode({ inputs_embeds: embeddings, attention_mask: ones(embeddings.dims.slice(0, 2)) });
  };
}

/** Tokens as a decoder without a vocabulary of its own is fed them: [rows, tokens, width]. */
export async function embed(engine: Engine, ids: BatchTensor): Promise<BatchTensor> {
  return onlyOutput(await engine.run('embed_tokens', { input_ids: ids }), 'embed_tokens');
}

function onlyOutput(outputs: Tensors, session: string): BatchTensor {
  const [output] = Object.values(outputs);
  if (!output) throw new Error(`The ${session} gave nothing.`);
  return output;
}
