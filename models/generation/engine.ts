/**
 * What decoding asks of whatever runs graphs: sessions by name, tensors in and out. A lane implements it with
 * onnxruntime-node; this folder never imports that.
 */
import type { BatchTensor } from '../task.ts';

export interface GraphPort {
  readonly name: string;
  /** ONNX Runtime's word: float32, int64, bool, float16, ... */
  readonly type: string;
  /** Null where the dimension is free. */
  readonly dims: readonly (number | null)[];
}

export type Tensors = Readonly<Record<string, BatchTensor>>;

export interface Engine {
  inputs(session: string): readonly GraphPort[];
  outputs(session: string): readonly GraphPort[];
  /**
   * Feeds that the graph does not ask for are left out; one that it asks for and does not get is an error. Of the outputs
   * only `wanted`, where it is given: those that nobody reads cost their copies.
   */
  run(session: string, feeds: Tensors, wanted?: readonly string[]): Promise<Tensors>;
}

const readTypes: ReadonlySet<string> = new Set(['float32', 'int64', 'bool']);

/** Refuses at load what would fail at the first row: graphs that take or give half floats, say. */
export function checkPorts(engine: Engine, sessions: Iterable<string>): void {
  for (const session of sessions) {
    const port = [...engine.inputs(session), ...engine.outputs(session)].find(({ type }) => !readTypes.has(type));
    if (!port) continue;
    throw new Error(
      `The ${session} takes or gives "${port.name}" as ${port.type}; float32, int64 and bool are supported. ` +
        'Use an fp32 export, or one whose weights alone are smaller (dtype q8, int8).',
    );
  }
}

export function floatsOf(tensors: Tensors, name: string, session: string): Float32Array {
  const data = tensors[name]?.data;
  if (data instanceof Float32Array) return data;
  throw new Error(`The ${session} gave no float32 "${name}"; it gave ${Object.keys(tensors).join(', ')}.`);
}
