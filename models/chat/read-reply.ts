/**
 * The body of a 200 from chat completions, read into an answer. Another server made it, so every field is doubted; what
 * is missing that a caller would not miss (token counts, the reason) is null. Pure.
 */
import { z } from 'zod';
import { Problem } from '../../shared/problems/problem.ts';
import type { ChatAnswer, ChatUsage } from './chat-plan.ts';

const replySchema = z.object({
  choices: z
    .array(
      z.object({
        message: z.object({ content: z.string().nullish(), refusal: z.string().nullish() }),
        finish_reason: z.string().nullish(),
      }),
    )
    .min(1),
  usage: z.unknown().optional(),
});

const usageSchema = z.object({ prompt_tokens: z.int().min(0), completion_tokens: z.int().min(0) });

/** `malformed` says what is wrong with a body that is no reply. */
export type ReadReply =
  | { readonly answer: ChatAnswer }
  | { readonly problem: Problem }
  | { readonly malformed: string };

export function readReply(body: string): ReadReply {
  const parsed = replySchema.safeParse(parseJson(body));
  if (!parsed.success) return { malformed: faultOf(body, parsed.error) };
  const { choices, usage } = parsed.data;
  const [{ message, finish_reason: reason } = { message: {} }] = choices;
  if (reason === 'content_filter' || (typeof message.refusal === 'string' && message.refusal !== ''))
    return { problem: new Problem('content-refused', 'The server that runs the model refused to answer this item.') };
  if (typeof message.content !== 'string') return { malformed: 'choices.0.message.content is no text' };
  return {
    answer: {
      text: afterThinking(message.content),
      reason: reason === 'stop' || reason === 'length' ? reason : null,
      usage: readUsage(usage),
    },
  };
}

function parseJson(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    return undefined;
  }
}

/** Names the field, never what stands in it: it may repeat what a caller sent. */
function faultOf(body: string, { issues }: z.ZodError): string {
  const [issue] = issues;
  if (parseJson(body) === undefined) return 'its body is not JSON, or is cut off';
  return `${issue?.path.join('.') || 'its body'}: ${issue?.message ?? 'no reply'}`;
}

function readUsage(usage: unknown): ChatUsage | null {
  const parsed = usageSchema.safeParse(usage);
  if (!parsed.success) return null;
  return { promptTokens: parsed.data.prompt_tokens, completionTokens: parsed.data.completion_tokens };
}

/** A server without a reasoning parser leaves what the model thought aloud before its answer. */
function afterThinking(text: string): string {
  const end = text.lastIndexOf('</think>');
  return end < 0 ? text : text.slice(end + '</think>'.length).trimStart();
}
