/** ONNX files made field by field, for tests of what reads them: small, and as wrong as a test wants them. */

type Part = readonly [field: number, content: Buffer | string];

/** A protobuf message of length-delimited fields. */
export function message(...parts: readonly Part[]): Buffer {
  return Buffer.concat(
    parts.flatMap(([field, content]) => {
      const bytes = Buffer.from(content as string);
      return [varint(field * 8 + 2), varint(bytes.length), bytes];
    }),
  );
}

function varint(value: number): Buffer {
  const bytes: number[] = [];
  let rest = value;
  for (; rest > 127; rest = Math.floor(rest / 128)) bytes.push((rest % 128) | 128);
  return Buffer.from([...bytes, rest]);
}

export const node = (operator: string, domain = '', ...more: Part[]) => message([4, operator], [7, domain], ...more);

/** A weight whose data lie in another file. */
export const outsideTensor = (location: string) =>
  message([8, 'weight'], [13, message([1, 'location'], [2, location])], [13, message([1, 'length'], [2, '4'])]);

/** A whole file: x -> Identity -> y, and what the test adds to the graph and to the model. */
export function onnxModel({ graph = [], model = [] }: { graph?: Part[]; model?: Part[] } = {}): Buffer {
  const value = (name: string) => message([1, name]);
  const body = message([1, node('Identity')], ...graph, [11, value('x')], [12, value('y')]);
  return message(...model, [7, body]);
}
