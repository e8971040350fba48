/**
 * A protobuf file read through a window of 64 KB: tags, lengths and short texts, never the content that is skipped.
 * Knows the wire format, not what a field means. Throws on what is cut short or does not fit into its parent.
 */
import { closeSync, fstatSync, openSync, readSync } from 'node:fs';

export interface ProtobufField {
  readonly number: number;
  /** Range of its content; of a number, the number itself. */
  readonly from: number;
  readonly to: number;
}

/** Names and paths are shorter; a longer one is an attempt to fill memory. */
const textBytesMax = 4096;

export class ProtobufFile {
  readonly #file: number;
  readonly #bytes = Buffer.alloc(65_536);
  readonly size: number;
  #start = 0;
  #length = 0;

  constructor(path: string) {
    this.#file = openSync(path, 'r');
    this.size = fstatSync(this.#file).size;
  }

  close(): void {
    closeSync(this.#file);
  }

  /** The fields of the message that lies in a range, in the order of the file. */
  *fields(from: number, to: number): Generator<ProtobufField> {
    if (to > this.size) throw new Error('a field is longer than the file');
    for (let at = from; at < to; ) {
      const field = this.#field(at);
      if (field.to > to) throw new Error('a field is longer than its message');
      yield field;
      at = field.to;
    }
  }

  text({ from, to }: ProtobufField): string {
    if (to - from > textBytesMax) throw new Error(`a name of more than ${textBytesMax} bytes`);
    const bytes = Buffer.alloc(to - from);
    for (let at = from; at < to; at++) bytes[at - from] = this.#byte(at);
    return bytes.toString('utf8');
  }

  #field(at: number): ProtobufField {
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
    if (at < this.#start || at >= this.#start + this.#length) {
      this.#start = at;
      this.#length = readSync(this.#file, this.#bytes, 0, this.#bytes.length, at);
      if (this.#length === 0) throw new Error('end of file');
    }
    return this.#bytes[at - this.#start] ?? 0;
  }
}
