/** A question as OpenAI's chat completions take it. Pure. */
import type { Upstream } from '../repository/upstream.ts';
import type { ChatImage, ChatQuestion } from './chat-plan.ts';

/** Fields that nobody asked for are left out: servers differ in what they know, and refuse the rest. */
export function renderRequest(question: ChatQuestion, upstream: Upstream): string {
  const { temperature, tokensMax, topK, topP, seed, stop } = question;
  const ours = {
    model: upstream.model,
    messages: messagesOf(question),
    stream: false,
    temperature,
    ...(tokensMax !== undefined && { max_tokens: tokensMax }),
    ...(topP !== undefined && { top_p: topP }),
    // OpenAI itself has none; vLLM, SGLang, llama.cpp and Ollama do.
    ...(topK !== undefined && { top_k: topK }),
    ...(seed !== undefined && { seed }),
    ...(stop && stop.length > 0 && { stop }),
  };
  const body = Object.entries({ ...ours, ...upstream.body }).filter(([, value]) => value !== null);
  return JSON.stringify(Object.fromEntries(body));
}

/** The picture first: so the models' own chat templates, and their training, have it. */
function messagesOf({ system, image, prompt }: ChatQuestion): unknown[] {
  const text = { type: 'text', text: prompt };
  const content = image ? [{ type: 'image_url', image_url: { url: toDataUri(image) } }, text] : [text];
  return [...(system === undefined ? [] : [{ role: 'system', content: system }]), { role: 'user', content }];
}

function toDataUri({ type, bytes }: ChatImage): string {
  return `data:${type};base64,${Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64')}`;
}
