/**
 * `npm run parity`: every architecture in its true shape, exported by optimum, run by PyTorch and by Millrace. One system per
 * model, so that memory holds. Prints a table and a last line of JSON; exits 1 unless every model is as the reference.
 */
import { globSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { compareLogits } from '../../models/parity/compare-logits.ts';
import { compareTokenizers } from '../../models/parity/compare-tokenizers.ts';
import { logitsTolerance, readExpected } from '../../models/parity/expected.ts';
import { knownDifferences } from '../../models/parity/known-differences.ts';
import { startSystem } from '../system/running-system.ts';
import { askModel } from './ask-model.ts';
import { ensureExport, ensurePython, ensureTokenizerCases, listArchitectures } from './python-side.ts';

interface Line {
  readonly model: string;
  readonly task: string;
  readonly cases: number;
  /** Null where answers show all that the graph gave. */
  readonly logitsError: number | null;
  readonly outputError: number | null;
  readonly faults: readonly string[];
  readonly known?: number;
}

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { python: { type: 'string' }, help: { type: 'boolean', default: false } },
});
if (values.help) {
  console.log('npm run parity -- [NAME ...] [--python PATH]\n');
  console.log(
    'Without names: tokenizers and every architecture. --python: one that has models/parity/reference/requirements.txt already.',
  );
  process.exit(0);
}
/** Not an architecture: every step that a tokenizer.json may name, against the Python package. */
const tokenizers = 'tokenizers';
const python = values.python ?? (await ensurePython());
const known = [tokenizers, ...(await listArchitectures(python))];
const unknown = positionals.filter((name) => !known.includes(name));
if (unknown.length > 0) {
  console.error(`There is no ${unknown.join(', ')}. There are ${known.join(', ')}`);
  process.exit(2);
}
const lines: Line[] = [];
for (const name of positionals.length > 0 ? positionals : known) {
  console.error(`${name} ...`);
  lines.push(name === tokenizers ? await judgeTokenizers() : await judge(name));
}
print(lines);
process.exit(lines.every(({ faults }) => faults.length === 0) ? 0 : 1);

/** What can not be run at all is a fault like any other: nothing is skipped. */
async function judge(name: string): Promise<Line> {
  try {
    const folder = await ensureExport(python, name);
    const expected = readExpected(folder, name);
    const logitsError = await compareLogits(folder, name, expected);
    const isOff = logitsError !== null && !(logitsError <= logitsTolerance);
    const system = await startSystem({ models: [name], env: { MODELS_DIR: folder, MILLRACE_LANES: '1' } });
    try {
      const { task, cases, error, faults, known } = await askModel(system.url, name, expected, knownDifferences);
      const all = [...faults, ...(isOff ? [`logits off by ${logitsError}`] : [])];
      return { model: name, task, cases, logitsError, outputError: error, faults: all, known };
    } finally {
      await system.stop();
    }
  } catch (error) {
    return { model: name, task: '?', cases: 0, logitsError: null, outputError: null, faults: [String(error)] };
  }
}

async function judgeTokenizers(): Promise<Line> {
  const line = { model: tokenizers, task: 'all of text', logitsError: null, outputError: null };
  try {
    const folder = await ensureTokenizerCases(python);
    const results = globSync('*.json.gz', { cwd: folder })
      .sort()
      .flatMap((file) => compareTokenizers(join(folder, file)));
    const faults = results.flatMap((result) => result.faults.map((fault) => `${result.name}: ${fault}`));
    const cases = results.reduce((sum, { texts }) => sum + texts, 0);
    const wider = results.reduce((sum, result) => sum + result.wider, 0);
    console.error(`tokenizers: ${results.length} kinds, ${cases} texts, ${wider} with an offset wider than Python's`);
    return { ...line, cases, faults };
  } catch (error) {
    return { ...line, cases: 0, faults: [String(error)] };
  }
}

function print(results: readonly Line[]): void {
  const exponent = (value: number | null) => value?.toExponential(1) ?? '-';
  const head = ['architecture', 'task', 'inputs', 'logits', 'answers', 'verdict'];
  const rows = results.map(({ model, task, cases, logitsError, outputError, faults, known }) => {
    const isRight = known ? `equal, ${known} known differences` : 'equal';
    const verdict = faults.length === 0 ? isRight : `${faults.length} faults`;
    return [model, task, String(cases), exponent(logitsError), exponent(outputError), verdict];
  });
  const widths = head.map((_, column) => Math.max(...[head, ...rows].map((row) => row[column]?.length ?? 0)));
  for (const row of [head, ...rows])
    console.log(row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join('  '));
  for (const { model, faults } of results) for (const fault of faults.slice(0, 5)) console.log(`${model}: ${fault}`);
  const asked = new Set(results.map(({ model }) => model));
  for (const { model, input, parameter, values, reason } of knownDifferences) {
    if (asked.has(model))
      console.log(`${model}, known: ${JSON.stringify(input)}, ${parameter} ${values.join(', ')}: ${reason}`);
  }
  const worst = Math.max(
    ...results.map(({ logitsError, outputError }) => Math.max(logitsError ?? 0, outputError ?? 0)),
  );
  const equal = results.filter(({ faults }) => faults.length === 0).length;
  console.log(
    JSON.stringify({ name: 'parity', architectures: results.length, equal, worst, tolerance: logitsTolerance }),
  );
}
