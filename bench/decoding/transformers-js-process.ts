/**
 * transformers.js in a process of B6: opens an export with its own loader and answers each question with one call of
 * `generate`. Its encoder runs once for each number of texts.
 */
import { importInstalled, transformersJsName } from '../peers/servers/environments.ts';

export interface Open {
  readonly type: 'open';
  /** Folder in which the package is installed. */
  readonly packages: string;
  /** Folder of the export's folder, which is named `id`. */
  readonly models: string;
  readonly id: string;
  readonly picture: { readonly data: Float32Array; readonly dims: readonly number[] };
}

/** So many texts about the picture, of one length. */
export interface Write {
  readonly type: 'write';
  readonly texts: number;
  readonly tokens: number;
}

export interface Written {
  readonly type: 'written';
  /** Of each text, without the start token. */
  readonly ids: readonly (readonly number[])[];
}

/** Of the package, what is used here. */
interface TransformersJs {
  readonly env: { allowRemoteModels: boolean; localModelPath: string };
  readonly AutoModelForVision2Seq: { from_pretrained(id: string, options: object): Promise<Model> };
  readonly Tensor: new (type: 'float32', data: Float32Array, dims: readonly number[]) => Tensor;
}
interface Model {
  readonly sessions: { readonly model: Session };
  generate(options: { inputs: Tensor; max_new_tokens: number; eos_token_id: null }): Promise<Tensor>;
}
interface Session {
  run(feeds: { readonly pixel_values: { readonly dims: readonly number[] } }): Promise<object>;
}
interface Tensor {
  tolist(): bigint[][];
}

let write: ((question: Write) => Promise<Written>) | null = null;

process.on('message', (question: Open | Write) => void answer(question));
process.send?.({ type: 'started' });

async function answer(question: Open | Write): Promise<void> {
  if (question.type === 'write') {
    process.send?.(await write?.(question));
    return;
  }
  write = await openModel(question);
  process.send?.({ type: 'opened' });
}

async function openModel({ packages, models, id, picture }: Open): Promise<(question: Write) => Promise<Written>> {
  const js = (await importInstalled(packages, transformersJsName)) as TransformersJs;
  js.env.allowRemoteModels = false;
  js.env.localModelPath = `${models}/`;
  const model = await js.AutoModelForVision2Seq.from_pretrained(id, {
    dtype: 'fp32',
    session_options: { intraOpNumThreads: 1, interOpNumThreads: 1 },
  });
  rememberStates(model.sessions.model);
  const inputsOf = repeated(picture, (data, dims) => new js.Tensor('float32', data, dims));
  return async ({ texts, tokens }) => {
    const written = await model.generate({
      inputs: inputsOf(texts),
      max_new_tokens: tokens,
      // Nothing stops a text early. `min_new_tokens` would do it too, at the price of a look at each text's logits.
      eos_token_id: null,
    });
    return { type: 'written', ids: written.tolist().map((ids) => ids.slice(1).map(Number)) };
  };
}

/** What the encoder gave is handed out again, as on our side: decoding is raced, and `generate` takes no states here. */
function rememberStates(encoder: Session): void {
  const run = encoder.run.bind(encoder);
  const known = new Map<number, object>();
  encoder.run = async (feeds) => {
    const texts = feeds.pixel_values.dims[0] ?? 1;
    const states = known.get(texts) ?? (await run(feeds));
    known.set(texts, states);
    // The caller wraps tensors where they stand.
    return { ...states };
  };
}

/** The picture once for each text, made once for each number of them. */
function repeated(
  { data, dims }: Open['picture'],
  make: (data: Float32Array, dims: readonly number[]) => Tensor,
): (texts: number) => Tensor {
  const made = new Map<number, Tensor>();
  return (texts) => {
    const known = made.get(texts);
    if (known) return known;
    const pixels = new Float32Array(texts * data.length);
    for (let text = 0; text < texts; text++) pixels.set(data, text * data.length);
    const tensor = make(pixels, [texts, ...dims.slice(1)]);
    made.set(texts, tensor);
    return tensor;
  };
}
