/** Peers in Python, with the same model file: what users of such systems come from, and what they may go to. */
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { graphFile } from '../../../models/repository/version-files.ts';
import { startTestRedis } from '../../../shared/testing/redis.ts';
import type { Caller } from '../../end-to-end/closed-loop.ts';
import type { Subject } from '../../pipeline/subjects.ts';
import { pythonFolder, pythonPrograms, whyNot } from './environments.ts';
import { type LoneServer, loneServer } from './lone-server.ts';
import { freePort, ServerProcess, type ServerSpec, vectorsCaller } from './server.ts';

function environmentOf({ files }: Subject, port: number): Record<string, string> {
  return {
    BENCH_MODEL: files.versionFolder,
    BENCH_TASK: files.task,
    BENCH_GRAPH: join(files.versionFolder, graphFile(files)),
    BENCH_PORT: String(port),
    OMP_NUM_THREADS: '1',
    DO_NOT_TRACK: '1',
    PYTHONPATH: pythonFolder,
  };
}

export const fastapiCelery: ServerSpec = {
  name: 'FastAPI + Celery + onnxruntime',
  unable: () => whyNot(() => pythonPrograms('celery')),
  async start(subject, probe) {
    const programs = await pythonPrograms('celery');
    const redis = await startTestRedis();
    const port = await freePort();
    const env = { ...environmentOf(subject, port), BENCH_REDIS: redis.url };
    const start = (program: string, args: string[]) =>
      new ServerProcess({ command: join(programs, program), args, cwd: pythonFolder, env });
    // A process per core, of one thread each.
    const processes = String(availableParallelism());
    const worker = start('celery', ['-A', 'celery_tasks', 'worker', '-c', processes, '--loglevel=ERROR']);
    const api = start('uvicorn', ['celery_api:app', '--port', String(port), '--log-level', 'error']);
    const caller = celeryCaller(subject, port);
    await api.untilServes(caller, probe);
    return {
      pids: [api.pid, worker.pid, redis.process().pid as number],
      lanePids: () => [worker.pid],
      redisUrl: redis.url,
      caller,
      async stop() {
        await Promise.all([api.stop(), worker.stop()]);
        await redis.stop();
      },
    };
  },
};

const fileTasks: readonly string[] = ['image-classification', 'image-to-text', 'automatic-speech-recognition'];

function celeryCaller({ files }: Subject, port: number): Caller {
  return {
    url: `http://127.0.0.1:${port}/${fileTasks.includes(files.task) ? 'files' : 'items'}`,
    body: ([input]) => JSON.stringify({ input }),
    check(answer) {
      const { output } = JSON.parse(answer) as { output?: unknown };
      if (output === undefined || output === null) throw new Error('Celery answered nothing.');
    },
    outputOf: (answer) => (JSON.parse(answer) as { output: unknown }).output,
  };
}

interface PythonServer extends Pick<LoneServer, 'name' | 'caller'> {
  readonly environment: string;
  /** Program of the environment, and its arguments. */
  command(port: number): readonly [program: string, ...args: string[]];
  /** Works in the model's folder instead of beside its own file. */
  readonly isInModel?: boolean;
}

function pythonServer({ environment, command, isInModel = false, ...lone }: PythonServer): ServerSpec {
  return loneServer({
    ...lone,
    unable: () => whyNot(() => pythonPrograms(environment)),
    async wish(port, folder, subject) {
      const programs = await pythonPrograms(environment);
      const [program, ...args] = command(port);
      const cwd = isInModel ? folder : pythonFolder;
      return { command: join(programs, program), args, cwd, env: environmentOf(subject, port) };
    },
  });
}

export const litserve = pythonServer({
  name: 'LitServe (32, 5 ms)',
  environment: 'litserve',
  command: () => ['python', 'litserve_server.py'],
});

/** Answers with what the method returned, and nothing around it. */
export const bentoml = pythonServer({
  name: 'BentoML',
  environment: 'bentoml',
  command: (port) => ['bentoml', 'serve', 'bentoml_service:Service', '--host', '127.0.0.1', '--port', String(port)],
  caller: (port) =>
    vectorsCaller({
      url: `http://127.0.0.1:${port}/embed`,
      body: (texts) => ({ texts }),
      vectors: (answer) => answer as number[][],
    }),
});

export const rayServe = pythonServer({
  name: 'Ray Serve (10, 10 ms)',
  environment: 'ray',
  command: () => ['python', 'ray_app.py'],
});

/**
 * Its optimum finds a graph by its bare name, which Infinity gives only where the folder is `.`. It would write a graph of its
 * own into the Hub's cache, and take the first token's vector where it is not told to take the mean.
 */
export const infinity = pythonServer({
  name: 'Infinity',
  environment: 'infinity',
  isInModel: true,
  command: (port) => [
    'infinity_emb',
    'v2',
    ...['--model-id', '.', '--engine', 'optimum', '--onnx-disable-optimize', '--device', 'cpu'],
    ...['--pooling-method', 'mean'],
    ...['--host', '127.0.0.1', '--port', String(port)],
  ],
  caller: (port) =>
    vectorsCaller({
      url: `http://127.0.0.1:${port}/embeddings`,
      body: (texts) => ({ input: texts }),
      vectors: (answer) => (answer as { data: { embedding: number[] }[] }).data.map(({ embedding }) => embedding),
    }),
});
