/**
 * What a task is: a contract (what callers send and get; the API reads it) and a pipeline (how items become rows of an
 * engine call and rows become outputs; workers run it), and a record (how outputs are remembered; the log writer reads
 * it). A folder under `tasks/` with the three is the whole registration.
 */
import type { z } from 'zod';
import type { ProblemDetails } from '../shared/problems/problem.ts';
import type { ChatPlan } from './chat/chat-plan.ts';
import type { ModelFiles } from './repository/model-files.ts';

export type MediaKind = 'text' | 'audio' | 'image';

/** `contract.ts` of a task folder exports one as default. Pure data and schemas: the API imports nothing else. */
export interface TaskContract {
  /** Hugging Face's pipeline name; equals the folder's name. */
  readonly task: string;
  readonly title: string;
  readonly description: string;
  /** What an item is. Text comes as a string or `{text}`; media as `{data}`, `{url}` or an uploaded file. */
  readonly media: MediaKind;
  /**
   * Shape of an item that is more than one text: an object of texts, say. What it parses to is stored, and handed to
   * `prepare` as `json`. Absent where an item is one text or one file.
   */
  readonly item?: z.ZodType;
  /** High where somebody waits, as for speech: then its models also leave a lane whose memory is full last (decision 23). */
  readonly defaultPriority: 'high' | 'normal' | 'low';
  /** Strict object of the task's parameters, every one optional. */
  readonly parameters: z.ZodObject;
  /** Shape of one item's output. */
  readonly output: z.ZodType;
  /** Bounds that the API checks before 202; a manifest's `limits` may tighten them. */
  readonly limits: {
    readonly itemBytesMax: number;
    readonly imagePixelsMax?: number;
    readonly audioSecondsMax?: number;
  };
  /** Names of the prompts that a manifest may give, where a model behind an upstream can fill the task (`chat.ts`). */
  readonly chat?: { readonly prompts: readonly string[] };
  /** A runnable example for docs and OpenAPI. */
  readonly example: {
    readonly input: unknown;
    readonly parameters?: Record<string, unknown>;
    readonly output: unknown;
  };
}

/** What a worker hands to `prepare`: the item's bytes or text, already fetched, or what its contract's `item` parsed. */
export type PreparedSource =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'json'; readonly value: unknown }
  | { readonly kind: 'file'; readonly path: string; readonly type: string };

/** One input of one row, without the batch dimension. */
export interface RowTensor {
  /** Rows travel small and widen in `collate`: int64 as Int32Array (ids and masks fit), pixels as bytes. */
  readonly type: 'float32' | 'int64' | 'uint8';
  readonly dims: readonly number[];
  readonly data: Float32Array | Int32Array | Uint8Array;
}

/**
 * One row of an engine call. Structured-cloneable: it crosses to a lane process. No two rows have one tensor of 32 KB or
 * more between them: its memory is given back when its row is done.
 */
export interface Row {
  readonly tensors: Readonly<Record<string, RowTensor>>;
  /** Size along the axis that padding stretches: tokens, samples; 1 where rows have one shape. */
  readonly length: number;
  /** Rows with equal keys may share a call (padded to the longest); different keys never do. */
  readonly shapeKey: string;
  /** True where company would change the result: no other row is written beside it. `preparation/keep-apart.ts` says so. */
  readonly alone?: true;
  /** What `postprocess` needs besides the outputs (offsets, thresholds, parameters). Structured-cloneable. */
  readonly context: unknown;
}

/** A batch tensor as the engine takes and gives it. A bool is a byte, 0 or 1. */
export interface BatchTensor {
  readonly type: 'float32' | 'int64' | 'bool';
  readonly dims: readonly number[];
  readonly data: Float32Array | BigInt64Array | Uint8Array;
}

/** What a row became. `part` is the item's output when the item has one row, else what `merge` joins. */
export type RowOutcome = { readonly part: unknown } | { readonly problem: ProblemDetails };

/** What every pipeline has. Bound to one model version; holds tokeniser, labels and the like. */
export interface PipelineBase {
  /** File of the graph(s), relative to the version folder, by session name. */
  readonly sessions: Readonly<Record<string, string>>;
  /** One item -> its rows (several for long audio). Throws Problem for a fault of the input. Deterministic. */
  prepare(
    source: PreparedSource,
    parameters: Readonly<Record<string, unknown>>,
    signal?: AbortSignal,
  ): Row[] | Promise<Row[]>;
  /**
   * Parts of one item's rows -> its output. Called also for a single part. Runs on the worker's loop where they are few,
   * else in a preparation thread. `contexts` are those of the rows, in the same order: what only the whole item needs
   * stands in the first.
   */
  merge(parts: readonly unknown[], contexts: readonly unknown[]): unknown;
  /** Tiny rows for warm-up and readiness, made without preparation. */
  readonly canary: { readonly rows: readonly Row[] };
}

/** A pipeline whose rows take one call of session `model`. */
export interface CallPipeline extends PipelineBase {
  readonly generation?: never;
  /** Rows -> feeds of session `model`. Pure; pads to the longest. */
  collate(rows: readonly Row[]): Readonly<Record<string, BatchTensor>>;
  /** Outputs of one call -> one outcome per row, in order. An outcome never depends on batch-mates. */
  postprocess(outputs: Readonly<Record<string, BatchTensor>>, rows: readonly Row[]): RowOutcome[];
}

/** A pipeline that writes token by token. Its `sessions` are what `generation/graph-layout.ts` finds in the folder. */
export interface GenerativePipeline extends PipelineBase {
  readonly generation: GenerationPlan;
}

/** What lanes run. */
export type Pipeline = CallPipeline | GenerativePipeline;

/** A pipeline whose rows are questions to a server elsewhere: no sessions, no canary, and no lane ever has it. */
export interface ChatPipeline extends PipelineBase {
  readonly chat: ChatPlan;
}

/** What `generation/` asks of a task: it knows tokens and caches, the plan knows what they mean. Runs in the lane. */
export interface GenerationPlan {
  /** Positions of the decoder, prompt included; `generation/read-defaults.ts` finds them in config.json. */
  readonly positionsMax: number;
  /** Rows of one `shapeKey` -> feeds of the encoder. Pure. */
  collate(rows: readonly Row[]): Readonly<Record<string, BatchTensor>>;
  /** How a row begins and ends. Pure. `attempt` counts from 0: one more each time that `finish` said `again`. */
  begin(row: Row, attempt: number): SequenceStart;
  /** The tokens that came -> the row's outcome; `again`, for a plan with fallbacks (8 attempts at most); or a look back. */
  finish(row: Row, written: Written, attempt: number): RowOutcome | 'again' | Review;
}

/**
 * One more call of the decoder, over tokens that are known by now and for one row alone: for what the graph tells of all
 * of them at once, such as where it looked at each.
 */
export interface Review {
  /** From the first position on. */
  readonly ids: readonly number[];
  /** Of the graph's outputs, those that are wanted. */
  readonly outputs: readonly string[];
  /** What they say; each has one row. Pure. */
  conclude(outputs: Readonly<Record<string, BatchTensor>>): RowOutcome;
}

export interface SequenceStart {
  /** The decoder's prompt, at least its start token. */
  readonly promptIds: readonly number[];
  /** Tokens to write at most, without the prompt. */
  readonly tokensMax: number;
  readonly stopIds: readonly number[];
  readonly sampling: Sampling;
  /** Changes the logits of the next token in place: suppressed tokens, forced ones, no repeats. Pure in its arguments. */
  readonly constrain?: (logits: Float32Array, written: readonly number[]) => void;
  /** Asked after each token: true ends the row there, as a stop token would. Pure in its arguments. */
  readonly endsEarly?: (written: readonly number[]) => boolean;
  /** Index into `promptIds`: the raw logits after that token come back as `Written.keptLogits`. */
  readonly keepLogitsAt?: number;
  /** True leaves `Written.logProbs` empty: one costs 0.4 ms of each token with 51,865 words. */
  readonly skipLogProbs?: boolean;
}

export interface Sampling {
  /** 0 takes the likeliest token. */
  readonly temperature: number;
  readonly topK?: number;
  readonly topP?: number;
  /** The same seed writes the same text, whatever the row's batch-mates. 0 when absent. */
  readonly seed?: number;
  /** Beams searched at temperature 0; 1 when absent. */
  readonly beams?: number;
  /** A finished beam's score is its log-probability over its length to this power; 1 when absent. */
  readonly lengthPenalty?: number;
  /** True ends the search when as many beams are finished as are searched. */
  readonly earlyStopping?: boolean;
}

export interface Written {
  /** Without prompt and without the stop token. */
  readonly ids: readonly number[];
  /** Natural log of each token's probability after `constrain`, at temperature 1; after a stop one more, the stop token's. */
  readonly logProbs: Float32Array;
  readonly reason: 'stop' | 'length';
  readonly keptLogits?: Float32Array;
}

/**
 * `pipeline.ts` of a task folder exports one as default; for models behind an upstream, where its contract has `chat`,
 * `chat.ts`.
 */
export interface PipelineFactory<P extends PipelineBase = Pipeline> {
  readonly task: string;
  /**
   * Reads from the version folder what this use needs: `prepare` tokeniser and processor, for items that become rows;
   * `lane` only what collates and postprocesses, without any npm package; `merge` what joins parts.
   */
  createPipeline(files: ModelFiles, use: 'prepare' | 'lane' | 'merge'): Promise<P>;
}

/** What the record of predictions keeps of one output. */
export interface OutputSummary {
  /** What it says in one word, and how sure it is; null where a task has no such thing. */
  readonly label: string | null;
  readonly score: number | null;
  /** Small JSON that a person, or `toExample`, can read. */
  readonly summary: Readonly<Record<string, unknown>>;
}

export interface SummaryWish {
  readonly parameters: Readonly<Record<string, unknown>>;
  /** False where inputs must not be kept: then nothing that quotes the input may be in the summary. */
  readonly keepsInput: boolean;
  /** Lists and texts are cut to so many entries or characters; what was cut says `cut: true`. */
  readonly sizeMax: number;
}

/** A prediction that somebody judged, on its way to a trainer. */
export interface JudgedItem {
  /** The text, or the JSON of an item that is an object, where it was kept. */
  readonly text: string | null;
  /** Where the media can be had, for media tasks. */
  readonly reference: string | null;
  /** Summary of the right output: the corrected one, or the model's own when it was confirmed. */
  readonly summary: Readonly<Record<string, unknown>>;
}

/** `record.ts` of a task folder exports one as default: how its outputs are remembered, corrected and learned from. */
export interface TaskRecord {
  readonly task: string;
  /** Unit of the recorded length of an input. */
  readonly lengthUnit: 'characters' | 'seconds' | 'pixels';
  summarize(output: unknown, wish: SummaryWish): OutputSummary;
  /** What a person may send as the right output: the contract's output, with what only a model knows left out at will. */
  readonly correction: z.ZodType;
  /** Why a correction can not be one of an input of this length (UTF-16 units for texts); null when it can. */
  readonly misfit?: (correction: unknown, inputLength: number) => string | null;
  /** One example in the shape that trainers of the task read; null when an output is nothing to learn from. */
  readonly toExample: ((item: JudgedItem) => Readonly<Record<string, unknown>>) | null;
}
