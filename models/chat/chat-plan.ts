/**
 * What a task asks of a model behind an upstream, and what it gets: words of ours, whatever protocol carries them
 * (`request-body.ts`, `read-reply.ts`).
 */
import type { Row, RowOutcome } from '../task.ts';

/** What a pipeline's `chat` does. Pure. */
export interface ChatPlan {
  ask(row: Row): ChatQuestion;
  /** The answer -> the row's outcome, as `postprocess` gives one. */
  read(row: Row, answer: ChatAnswer): RowOutcome;
}

export interface ChatQuestion {
  readonly system?: string;
  readonly image?: ChatImage;
  readonly prompt: string;
  /** Tokens to write at most; as many as the server likes when absent. */
  readonly tokensMax?: number;
  /** 0 takes the likeliest token. */
  readonly temperature: number;
  readonly topK?: number;
  readonly topP?: number;
  readonly seed?: number;
  readonly stop?: readonly string[];
}

export interface ChatImage {
  readonly type: 'image/jpeg' | 'image/png';
  readonly bytes: Uint8Array;
}

export interface ChatAnswer {
  readonly text: string;
  /** Null where the server gives a reason that says nothing of the text. */
  readonly reason: 'stop' | 'length' | null;
  readonly usage: ChatUsage | null;
}

export interface ChatUsage {
  /** Of picture and prompt. */
  readonly promptTokens: number;
  readonly completionTokens: number;
}
