/**
 * Names of an ONNX graph's inputs and outputs, read from the file's structure without loading it: exports of one
 * architecture differ in what they ask for (attention_mask, token_type_ids), and config.json does not tell. Walks the
 * protobuf fields and skips over weights, so 90 MB take a few milliseconds.
 */
import { closeSync, openSync, readSync } from 'node:fs';

export interface GraphSignature {
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
}

/** Field numbers of onnx.proto. */
const modelGraph = 7;
const graphInitializer = 5;
const graphInput = 11;
const graphOutput = 12;
const namedField = 1;
const tensorName = 8;

/** Throws when the file is no ONNX model. */
export function readGraphSignature(path: string): GraphSignature {
  const file = openSync(path, 'r');
  try {
    return walkModel(new FileWindow(file));
  } catch (error) {
    throw new Error('The graph is not an ONNX file, or it ends early.', { cause: error });
  } finally {
    closeSync(file);
  }
}

function walkModel(window: FileWindow): GraphSignature {
  for (let at = 0; !window.isEnd(at); ) {
    const field = window.field(at);
    if (field.number === modelGraph) return walkGraph(window, field.from, field.to);
    at = field.to;
  }
  throw new Error('no graph field');
}

function walkGraph(window: FileWindow, from: number, to: number): GraphSignature {
  const inputs: string[] = [];
  const outputs: string[] = [];
  const weights = new Set<string>();
  for (let at = from; at < to; ) {
    const field = window.field(at);
    if (field.number === graphInput) inputs.push(nameIn(window, field.from, field.to, namedField));
    if (field.number === graphOutput) outputs.push(nameIn(window, field.from, field.to, namedField));
    if (field.number === graphInitializer) weights.add(nameIn(window, field.from, field.to, tensorName));
    at = field.to;
  }
  // Old exporters list weights among the inputs.
  return { inputs: inputs.filter((name) => !weights.has(name)), outputs };
}

function nameIn(window: FileWindow, from: number, to: number, number: number): string {
  for (let at = from; at < to; ) {
    const field = window.field(at);
    if (field.number === number) return window.text(field.from, field.to);
    at = field.to;
  }
  return '';
}

/** Reads a file through a window of 64 KB. */
class FileWindow {
  readonly #file: number;
  readonly #bytes = Buffer.alloc(65_536);
  #start = 0;
  #length = 0;

  constructor(file: number) {
    this.#file = file;
  }

  isEnd(at: number): boolean {
    this.#see(at);
    return at >= this.#start + this.#length;
  }

  /** The field whose tag stands at `at`: its number and the range of its content. */
  field(at: number): { number: number; from: number; to: number } {
    const tag = this.#varint(at);
    const number = Math.floor(tag.value / 8);
    switch (tag.value % 8) {
      case 0:
        return { number, from: tag.end, to: this.#varint(tag.end).end };
      case 1:
        return { number, from: tag.end, to: tag.end + 8 };
      case 2: {
        const length = this.#varint(tag.end);
        return { number, from: length.end, to: length.end + length.value };
      }
      case 5:
        return { number, from: tag.end, to: tag.end + 4 };
      default:
        throw new Error(`wire type ${tag.value % 8}`);
    }
  }

  text(from: number, to: number): string {
    if (to - from > 1024) throw new Error('a name of more than 1,024 bytes');
    let text = '';
    for (let at = from; at < to; at++) text += String.fromCharCode(this.#byte(at));
    return text;
  }

  #varint(at: number): { value: number; end: number } {
    let value = 0;
    for (let index = 0; index < 10; index++) {
      const byte = this.#byte(at + index);
      value += (byte & 0x7f) * 2 ** (7 * index);
      if (byte < 0x80) return { value, end: at + index + 1 };
    }
    throw new Error('varint too long');
  }

  #byte(at: number): number {
    this.#see(at);
    if (at >= this.#start + this.#length) throw new Error('end of file');
    return this.#bytes[at - this.#start] ?? 0;
  }

  #see(at: number): void {
    if (at >= this.#start && at < this.#start + this.#length) return;
    this.#start = at;
    this.#length = readSync(this.#file, this.#bytes, 0, this.#bytes.length, at);
  }
}
