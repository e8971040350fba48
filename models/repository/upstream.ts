/**
 * A model that runs elsewhere: what `upstream` in a manifest says of the server that runs it. Schema and plain data; who
 * asks the server, and what a question looks like, is not known here.
 */
import { z } from 'zod';

/** A prompt with a grammar and examples is some 2,000 characters; more belongs into a fine-tuned model. */
const prompt = z.string().min(1).max(8000);

export const upstreamSchema = z.strictObject({
  /** The protocol: OpenAI's chat completions, as vLLM, SGLang, llama.cpp, Ollama, LiteLLM and OpenAI speak it. */
  kind: z.literal('openai-chat'),
  /** What OpenAI's clients call base_url; an origin alone gets `/v1`, as they have it. */
  url: z
    .url({ protocol: /^https?$/ })
    .max(2048)
    .refine(isPlain, 'names a user, a query or a fragment; name the key by `api_key_env`'),
  /** Its name there. */
  model: z.string().min(1).max(300),
  /** The environment variable that holds the key. The key itself stands in no file that is copied about. */
  api_key_env: z
    .string()
    .regex(/^[A-Z][A-Z0-9_]{0,99}$/, 'is a variable such as VLLM_API_KEY, never the key itself')
    .optional(),
  /** Calls under way at once, of each worker process. */
  max_concurrency: z.int().min(1).max(256).default(4),
  /** For one whole call. An 8B model on one GPU writes 1,000 tokens in some 20 s. */
  timeout_seconds: z.number().min(1).max(3600).default(120),
  /** Longer pictures are scaled down: 2,048 pixels are 4,096 tokens of Qwen3-VL at most. */
  image_side_max: z.int().min(64).max(8192).default(2048),
  /** Stands before each question. */
  system: prompt.optional(),
  /** By name; the task says which there are. */
  prompts: z.record(z.string().max(64), prompt).default({}),
  /** Added to each request's body, in place of ours where it has the same name; null leaves a field out. */
  body: z
    .record(z.string().max(100), z.unknown())
    .refine((body) => !['model', 'messages', 'stream', 'n'].some((name) => name in body), 'names a field that is ours')
    .default({}),
});

export interface Upstream {
  readonly kind: 'openai-chat';
  /** Without a slash at its end: `${url}/chat/completions`. */
  readonly url: string;
  readonly model: string;
  readonly apiKeyEnv: string | null;
  readonly concurrencyMax: number;
  readonly timeoutSeconds: number;
  readonly imageSideMax: number;
  readonly system: string | null;
  readonly prompts: Readonly<Record<string, string>>;
  readonly body: Readonly<Record<string, unknown>>;
}

export function toUpstream(words: z.infer<typeof upstreamSchema>): Upstream {
  return {
    kind: words.kind,
    url: baseOf(words.url),
    model: words.model,
    apiKeyEnv: words.api_key_env ?? null,
    concurrencyMax: words.max_concurrency,
    timeoutSeconds: words.timeout_seconds,
    imageSideMax: words.image_side_max,
    system: words.system ?? null,
    prompts: words.prompts,
    body: words.body,
  };
}

function baseOf(text: string): string {
  const { origin, pathname } = new URL(text);
  const path = pathname.replace(/\/+$/, '');
  return `${origin}${path === '' ? '/v1' : path}`;
}

/** Of a text that is no URL the check before this one has told. */
function isPlain(text: string): boolean {
  if (!URL.canParse(text)) return true;
  const { username, password, search, hash } = new URL(text);
  return `${username}${password}${search}${hash}` === '';
}
