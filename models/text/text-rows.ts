/**
 * Encoded texts as rows and as a batch: ids padded to the longest, with the mask made on the way, and segment ids where a
 * row brings none. Which of these a graph wants is read from the graph.
 */
import type { GraphSignature } from '../repository/read-graph.ts';
import type { BatchTensor, Row } from '../task.ts';

const known = ['input_ids', 'attention_mask', 'token_type_ids', 'position_ids'];

export interface TextBatching {
  /** Inputs that the graph names. */
  readonly inputs: readonly string[];
  readonly padId: number;
}

/** Throws when the graph asks for something that is not made from text. */
export function textBatching(signature: GraphSignature, padId: unknown): TextBatching {
  const strange = signature.inputs.filter((input) => !known.includes(input));
  if (strange.length > 0 || !signature.inputs.includes('input_ids')) {
    throw new Error(`The graph wants inputs ${signature.inputs.join(', ')}; a text model has ${known.join(', ')}.`);
  }
  return { inputs: signature.inputs, padId: typeof padId === 'number' ? padId : 0 };
}

/** @param types segment ids, for pairs of texts; all 0 when absent. */
export function textRow(ids: Int32Array, context: unknown, types?: Int32Array): Row {
  return {
    tensors: {
      input_ids: { type: 'int64', dims: [ids.length], data: ids },
      ...(types && { token_type_ids: { type: 'int64', dims: [types.length], data: types } }),
    },
    length: ids.length,
    shapeKey: 'tokens',
    context,
  };
}

export function collateText(rows: readonly Row[], batching: TextBatching): Record<string, BatchTensor> {
  const longest = rows.reduce((most, row) => Math.max(most, row.length), 1);
  const feeds: Record<string, BatchTensor> = {};
  for (const input of batching.inputs) feeds[input] = fill(rows, longest, input, batching.padId);
  return feeds;
}

function fill(rows: readonly Row[], longest: number, input: string, padId: number): BatchTensor {
  const data = new BigInt64Array(rows.length * longest);
  // Two 32-bit halves of each int64, low first: ids are not negative, so the high half stays 0 and no BigInt is made.
  const halves = new Int32Array(data.buffer);
  for (const [index, row] of rows.entries()) {
    const base = index * longest;
    const own = row.tensors[input]?.data;
    for (let at = 0; at < longest; at++) {
      halves[(base + at) * 2] = at < row.length ? (own?.[at] ?? made(input, at)) : padding(input, at, padId);
    }
  }
  return { type: 'int64', dims: [rows.length, longest], data };
}

/** What a row does not bring for one of its own tokens. */
function made(input: string, at: number): number {
  if (input === 'position_ids') return at;
  return input === 'attention_mask' ? 1 : 0;
}

function padding(input: string, at: number, padId: number): number {
  if (input === 'position_ids') return at;
  return input === 'input_ids' ? padId : 0;
}
