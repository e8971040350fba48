/**
 * Image to text by a vision-language model behind an upstream: a file to a picture that may travel, a question by the
 * format that is wanted, and the answer as the contract has it. One row per image.
 */

import { Problem } from '../../../shared/problems/problem.ts';
import type { ChatAnswer, ChatQuestion } from '../../chat/chat-plan.ts';
import type { ModelFiles } from '../../repository/model-files.ts';
import type { Upstream } from '../../repository/upstream.ts';
import type { ChatPipeline, PipelineFactory, PreparedSource, Row, RowOutcome } from '../../task.ts';
import { defaultPrompts, promptOf } from './chat-prompts.ts';
import type { Wish } from './contract.ts';
import { formatWritten } from './format-written.ts';
import { cutAtStop } from './stop-texts.ts';

interface WrittenAnswer {
  readonly generated_text: string;
  readonly finish_reason?: 'stop' | 'length';
  readonly usage?: { readonly prompt_tokens: number; readonly completion_tokens: number };
}

const factory: PipelineFactory<ChatPipeline> = {
  task: 'image-to-text',
  async createPipeline(files, use): Promise<ChatPipeline> {
    const upstream = upstreamOf(files);
    const encode = use === 'prepare' ? await createEncoder(files, upstream) : null;
    const prompts = { ...defaultPrompts, ...upstream.prompts };
    return {
      sessions: {},
      async prepare(source, parameters) {
        if (!encode) throw new Error('This pipeline was not made to prepare.');
        const wish = { ...files.parameters, ...parameters } as Wish;
        checkWish(wish);
        return [pictureRow(await encode(source), wish)];
      },
      chat: {
        ask: (row) => ask(row, upstream, promptOf(row.context as Wish, prompts)),
        read: (row, answer) => read(row.context as Wish, answer),
      },
      merge([part], [context]) {
        const written = part as WrittenAnswer;
        const { format = 'text' } = context as Wish;
        return format === 'text' ? written : { ...written, formatted: formatWritten(written.generated_text, format) };
      },
      canary: { rows: [] },
    };
  },
};

export default factory;

function upstreamOf({ id, upstream }: ModelFiles): Upstream {
  if (!upstream) throw new Error(`Model ${id} names no upstream.`);
  return upstream;
}

/** Imported late: whoever only asks and merges starts without libvips. */
async function createEncoder({ limits }: ModelFiles, { imageSideMax }: Upstream) {
  const { decodeImage } = await import('../../images/decode-image.ts');
  const { encodeJpeg } = await import('../../images/encode-image.ts');
  return async (source: PreparedSource) => {
    if (source.kind !== 'file') throw new Problem('unsupported-file-type', 'This task takes an image, not a text.');
    return await encodeJpeg(await decodeImage(source.path, limits.imagePixelsMax), imageSideMax);
  };
}

function pictureRow(data: Uint8Array, wish: Wish): Row {
  return {
    tensors: { image: { type: 'uint8', dims: [data.length], data } },
    length: 1,
    shapeKey: 'picture',
    context: wish,
  };
}

/** Chat completions have no beams: written greedily, the text would not be what was asked for. */
function checkWish({ num_beams: beams = 1 }: Wish): void {
  if (beams === 1) return;
  const detail = `This model runs on a server that searches no beams; got ${beams}. Leave \`num_beams\` out.`;
  throw new Problem('validation-failed', detail, { errors: [{ pointer: '/parameters/num_beams', detail }] });
}

function ask(row: Row, { system }: Upstream, prompt: string): ChatQuestion {
  const { max_new_tokens: tokensMax, temperature = 0, top_k: topK, top_p: topP, seed, stop } = row.context as Wish;
  return {
    ...(system !== null && { system }),
    image: { type: 'image/jpeg', bytes: row.tensors['image']?.data as Uint8Array },
    prompt,
    temperature,
    ...(tokensMax !== undefined && { tokensMax }),
    ...(topK !== undefined && { topK }),
    ...(topP !== undefined && { topP }),
    ...(seed !== undefined && { seed }),
    ...(stop && { stop }),
  };
}

function read({ stop = [] }: Wish, { text, reason, usage }: ChatAnswer): RowOutcome {
  const part: WrittenAnswer = {
    generated_text: cutAtStop(text, stop),
    ...(reason && { finish_reason: reason }),
    ...(usage && { usage: { prompt_tokens: usage.promptTokens, completion_tokens: usage.completionTokens } }),
  };
  return { part };
}
