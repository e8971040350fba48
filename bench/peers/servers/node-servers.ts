/** Peers in Node: plain BullMQ without batching, and transformers.js in a server. */
import { join } from 'node:path';
import { startTestRedis } from '../../../shared/testing/redis.ts';
import { transformersJsPackage, whyNot } from './environments.ts';
import { embedCaller, freePort, ServerProcess, type ServerSpec } from './server.ts';

const here = import.meta.dirname;
const workers = 2;

export const plainBullmq: ServerSpec = {
  name: 'plain BullMQ, no batching',
  async start({ files }) {
    const redis = await startTestRedis();
    const port = await freePort();
    const env = { BENCH_REDIS: redis.url, BENCH_PORT: String(port), BENCH_FILES: JSON.stringify(files) };
    const start = (program: string) =>
      new ServerProcess({ command: process.execPath, args: [join(here, 'bullmq', program)], cwd: here, env });
    const api = start('api.ts');
    const lanes = Array.from({ length: workers }, () => start('worker.ts'));
    const caller = embedCaller(port);
    await api.untilServes(caller);
    return {
      pids: [api.pid, ...lanes.map(({ pid }) => pid), redis.process().pid as number],
      lanePids: () => lanes.map(({ pid }) => pid),
      redisUrl: redis.url,
      caller,
      async stop() {
        await Promise.all([api, ...lanes].map((process) => process.stop()));
        await redis.stop();
      },
    };
  },
};

export const transformersJs: ServerSpec = {
  name: 'transformers.js',
  unable: () => whyNot(transformersJsPackage),
  async start({ files, modelsDir }) {
    const port = await freePort();
    const packages = await transformersJsPackage();
    const models = { BENCH_MODELS: `${modelsDir}/`, BENCH_MODEL_ID: files.id };
    const env = { BENCH_PORT: String(port), BENCH_PACKAGES: packages, ...models };
    const args = [join(here, 'transformers-js.ts')];
    const server = new ServerProcess({ command: process.execPath, args, cwd: here, env });
    const caller = embedCaller(port);
    await server.untilServes(caller);
    return { pids: [server.pid], caller, stop: () => server.stop() };
  },
};
