/**
 * What an ONNX file says of itself without being loaded: names of inputs and outputs (exports of one architecture differ
 * in what they ask for, and config.json does not tell), which files it takes weights from, and what operators it uses.
 * Walks the protobuf fields and skips over weights, so 90 MB take a few milliseconds.
 */
import { ProtobufFile } from './protobuf-file.ts';

export interface GraphSignature {
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
}

/** What a file would bring in from elsewhere. */
export interface GraphReach {
  /** `location` of every tensor whose data lie in another file. */
  readonly locations: ReadonlySet<string>;
  /** Domain -> one operator of it, of operators that the file does not define itself. */
  readonly domains: ReadonlyMap<string, string>;
}

type Message = 'model' | 'training' | 'graph' | 'function' | 'node' | 'attribute' | 'sparse' | 'tensor';

/** Where messages lie in messages: field numbers of onnx.proto. Tensors hide in attributes, subgraphs and functions too. */
const children: Readonly<Record<Message, Readonly<Record<number, Message>>>> = {
  model: { 7: 'graph', 20: 'training', 25: 'function' },
  training: { 1: 'graph', 2: 'graph' },
  graph: { 1: 'node', 5: 'tensor', 15: 'sparse' },
  function: { 7: 'node', 11: 'attribute' },
  node: { 5: 'attribute' },
  attribute: { 5: 'tensor', 6: 'graph', 10: 'tensor', 11: 'graph', 22: 'sparse', 23: 'sparse' },
  sparse: { 1: 'tensor', 2: 'tensor' },
  tensor: {},
};
const modelGraph = 7;
const graphInitializer = 5;
const graphInput = 11;
const graphOutput = 12;
const functionName = 1;
const functionDomain = 10;
const nodeOperator = 4;
const nodeDomain = 7;
const namedField = 1;
const tensorName = 8;
const tensorExternalData = 13;
const entryKey = 1;
const entryValue = 2;
/** If in Loop in If: real exports nest three deep. A thousand would end the stack. */
const depthMax = 64;

/** Throws when the file is no ONNX model. */
export function readGraphSignature(path: string): GraphSignature {
  return withFile(path, (file) => {
    for (const field of file.fields(0, file.size))
      if (field.number === modelGraph) return signatureIn(file, field.from, field.to);
    throw new Error('no graph field');
  });
}

/** Throws when the file is no ONNX model. */
export function readGraphReach(path: string): GraphReach {
  return withFile(path, (file) => {
    const found: Findings = { locations: new Set(), domains: new Map(), functions: new Set() };
    walk(file, 'model', { from: 0, to: file.size, depth: 0 }, found);
    const domains = new Map<string, string>();
    for (const [operator, { domain, name }] of found.domains)
      if (!found.functions.has(operator) && !domains.has(domain)) domains.set(domain, name);
    return { locations: found.locations, domains };
  });
}

/** Names of all operators, also of those that are function bodies or branches. Throws when the file is no ONNX model. */
export function readGraphOperators(path: string): ReadonlySet<string> {
  return withFile(path, (file) => {
    const found: Findings = { locations: new Set(), domains: new Map(), functions: new Set() };
    walk(file, 'model', { from: 0, to: file.size, depth: 0 }, found);
    return new Set([...found.domains.values()].map(({ name }) => name));
  });
}

function withFile<T>(path: string, read: (file: ProtobufFile) => T): T {
  const file = new ProtobufFile(path);
  try {
    return read(file);
  } catch (error) {
    throw new Error('The graph is not an ONNX file, or it ends early.', { cause: error });
  } finally {
    file.close();
  }
}

function signatureIn(file: ProtobufFile, from: number, to: number): GraphSignature {
  const inputs: string[] = [];
  const outputs: string[] = [];
  const weights = new Set<string>();
  for (const field of file.fields(from, to)) {
    if (field.number === graphInput) inputs.push(textIn(file, field, namedField));
    if (field.number === graphOutput) outputs.push(textIn(file, field, namedField));
    if (field.number === graphInitializer) weights.add(textIn(file, field, tensorName));
  }
  // Old exporters list weights among the inputs.
  return { inputs: inputs.filter((name) => !weights.has(name)), outputs };
}

interface Span {
  readonly from: number;
  readonly to: number;
}

interface Findings {
  readonly locations: Set<string>;
  /** By `domain/operator`. */
  readonly domains: Map<string, { readonly domain: string; readonly name: string }>;
  /** `domain/operator` of the functions that the file brings along. */
  readonly functions: Set<string>;
}

function walk(file: ProtobufFile, message: Message, span: Span & { readonly depth: number }, found: Findings): void {
  if (span.depth > depthMax) throw new Error(`messages nest more than ${depthMax} deep`);
  if (message === 'node') noteOperator(file, span, found);
  if (message === 'function')
    found.functions.add(`${textIn(file, span, functionDomain)}/${textIn(file, span, functionName)}`);
  for (const field of file.fields(span.from, span.to)) {
    if (message === 'tensor' && field.number === tensorExternalData) noteLocation(file, field, found);
    const child = children[message][field.number];
    if (child) walk(file, child, { from: field.from, to: field.to, depth: span.depth + 1 }, found);
  }
}

function noteOperator(file: ProtobufFile, node: Span, found: Findings): void {
  const [domain, name] = [textIn(file, node, nodeDomain), textIn(file, node, nodeOperator)];
  found.domains.set(`${domain}/${name}`, { domain, name });
}

function noteLocation(file: ProtobufFile, entry: Span, found: Findings): void {
  if (textIn(file, entry, entryKey) === 'location') found.locations.add(textIn(file, entry, entryValue));
}

/** The last one counts when a field stands there twice, as in every protobuf reader. */
function textIn(file: ProtobufFile, { from, to }: Span, number: number): string {
  let text = '';
  for (const field of file.fields(from, to)) if (field.number === number) text = file.text(field);
  return text;
}
