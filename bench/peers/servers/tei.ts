/**
 * Text Embeddings Inference with its ONNX Runtime backend, as it starts and with the budget of padded tokens that is best for
 * two cores. It comes as source and images only: MILLRACE_BENCH_TEI names the program; bench/README.md has how to build it.
 */
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, resolve } from 'node:path';
import { teiBudget } from '../tei.ts';
import { loneServer } from './lone-server.ts';
import { vectorsCaller } from './server.ts';

const program = process.env['MILLRACE_BENCH_TEI'] ?? '';

/** The engine that Millrace has; a build that was linked to one of its own does not look at it. */
const engine = join(
  dirname(createRequire(import.meta.url).resolve('onnxruntime-node/package.json')),
  `bin/napi-v6/${process.platform}/${process.arch}/libonnxruntime.so.1`,
);

export const teiServers = [
  server('TEI', []),
  server(`TEI tuned (${teiBudget.tuned})`, ['--max-batch-tokens', String(teiBudget.tuned)]),
];

function server(name: string, options: readonly string[]) {
  return loneServer({
    name,
    unable: async () => whyNotHere(),
    wish: (port, folder) => ({
      command: resolve(program),
      args: ['--model-id', folder, '--pooling', 'mean', '--hostname', '127.0.0.1', '--port', String(port), ...options],
      cwd: folder,
      env: { ORT_DYLIB_PATH: engine, LOG_LEVEL: 'error' },
    }),
    caller: (port) =>
      vectorsCaller({
        url: `http://127.0.0.1:${port}/embed`,
        body: (texts) => ({ inputs: texts }),
        vectors: (answer) => answer as number[][],
      }),
  });
}

function whyNotHere(): string | null {
  if (program === '')
    return 'MILLRACE_BENCH_TEI does not name its text-embeddings-router; bench/README.md has how to build it';
  return existsSync(program) ? null : `MILLRACE_BENCH_TEI names ${program}, which is not there`;
}
