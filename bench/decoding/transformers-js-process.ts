/**
 * transformers.js in a process of B6: opens an export with its own loader and answers each question with one call of
 * `generate`. Its encoder runs once for each number of texts.
 */
import { importInstalled, transformersJsName } from '../peers/servers/environments.ts';

export interface Open {
  readonly type: 'open';
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

const { env, AutoModelForVision2Seq, Tensor } = (await importInstalled(transformersJsName)) as TransformersJs;
env.allowRemoteModels = false;
env.localModelPath = process.env['BENCH_MODELS'] ?? '';
let model: Model;
let picture: Open['picture'];
const inputs = new Map<number, Tensor>();

process.on('message', (question: Open | Write) => void answer(question));
process.send?.({ type: 'started' });

async function answer(question: Open | Write): Promise<void> {
  if (question.type === 'open') {
    picture = question.picture;
    model = await AutoModelForVision2Seq.from_pretrained(process.env['BENCH_MODEL_ID'] ?? '', {
      dtype: 'fp32',
      session_options: { intraOpNumThreads: 1, interOpNumThreads: 1 },
    });
    rememberStates(model.sessions.model);
    process.send?.({ type: 'opened' });
    return;
  }
  const written = await model.generate({
    inputs: inputsOf(question.texts),
    max_new_tokens: question.tokens,
    // Nothing stops a text early. `min_new_tokens` would do it too, at the price of a look at each text's logits.
    eos_token_id: null,
  });
  const ids = written.tolist().map((tokens) => tokens.slice(1).map(Number));
  process.send?.({ type: 'written', ids } satisfies Written);
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

function inputsOf(texts: number): Tensor {
  const { data, dims } = picture;
  const known = inputs.get(texts);
  if (known) return known;
  const pixels = new Float32Array(texts * data.length);
  for (let text = 0; text < texts; text++) pixels.set(data, text * data.length);
  const made = new Tensor('float32', pixels, [texts, ...dims.slice(1)]);
  inputs.set(texts, made);
  return made;
}
