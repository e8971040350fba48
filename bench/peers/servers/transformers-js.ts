/**
 * transformers.js as its documentation has it: one pipeline in a server, the texts of a request in one call. The package is
 * installed for this bench alone (BENCH_PACKAGES); Millrace itself does not need it.
 */
import { createServer } from 'node:http';
import { importInstalled, transformersJsName } from './environments.ts';

/** Of the package, what is used here. */
interface TransformersJs {
  readonly env: { allowRemoteModels: boolean; localModelPath: string };
  pipeline(task: 'feature-extraction', model: string, options: { dtype: 'fp32' }): Promise<Extract>;
}
type Extract = (
  texts: readonly string[],
  options: { pooling: 'mean'; normalize: true },
) => Promise<{ tolist(): number[][] }>;

const packages = process.env['BENCH_PACKAGES'] ?? '';
const { env, pipeline } = (await importInstalled(packages, transformersJsName)) as TransformersJs;
env.allowRemoteModels = false;
env.localModelPath = process.env['BENCH_MODELS'] ?? '';
const extract = await pipeline('feature-extraction', process.env['BENCH_MODEL_ID'] ?? '', { dtype: 'fp32' });

const server = createServer(async (request, response) => {
  try {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const { texts } = JSON.parse(Buffer.concat(chunks).toString()) as { texts: string[] };
    const vectors = (await extract(texts, { pooling: 'mean', normalize: true })).tolist();
    response.setHeader('content-type', 'application/json').end(JSON.stringify({ vectors }));
  } catch (error) {
    response.writeHead(500).end((error as Error).message);
  }
});
server.listen(Number(process.env['BENCH_PORT']), '127.0.0.1');
