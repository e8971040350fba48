/**
 * A real server of chat completions: `transformers serve` with a Qwen3-VL of true shape, tiny and with random weights, made
 * here. What vLLM serves to users, on a machine without a GPU.
 */
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { existsSync, realpathSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { endProcess } from '../../shared/testing/end-process.ts';
import { findTool, missing } from '../../shared/testing/find-tool.ts';
import { freePort } from '../../shared/testing/free-port.ts';
import { waitUntil } from '../../shared/testing/wait-until.ts';

const tools = '~/.cache/millrace-tools';
export const skipWithoutTransformers = () =>
  missing(
    'transformers-serve',
    `python3 -m venv ${tools}/transformers && ${tools}/transformers/bin/pip install "transformers[serving]==5.24.0" torch torchvision pillow && mkdir -p ${tools}/bin && ln -s ../transformers/bin/transformers ${tools}/bin/transformers-serve`,
  );

const maker = join(import.meta.dirname, '../../models/chat/testing/make_tiny_vlm.py');
/** PyTorch and half of Python's packages: 10 to 30 s on an idle machine. */
const startMsMax = 240_000;

export class TransformersServer {
  readonly url: string;
  /** Its name there. */
  readonly model: string;
  readonly #child: ChildProcess;

  private constructor(url: string, model: string, child: ChildProcess) {
    this.url = url;
    this.model = model;
    this.#child = child;
  }

  /** Makes the model in `dir` unless it is there. */
  static async start(dir: string): Promise<TransformersServer> {
    const program = findTool('transformers-serve') ?? '';
    const model = join(dir, 'tiny-qwen3-vl');
    const env = { ...process.env, HF_HUB_OFFLINE: '1', OMP_NUM_THREADS: '1' };
    const python = join(dirname(realpathSync(program)), 'python');
    if (!existsSync(model)) await promisify(execFile)(python, [maker, model], { env });
    const port = await freePort();
    const args = ['serve', model, '--device', 'cpu', '--host', '127.0.0.1', '--port', String(port)];
    const child = spawn(realpathSync(program), args, { env, stdio: 'ignore' });
    const server = new TransformersServer(`http://127.0.0.1:${port}`, model, child);
    await waitUntil(
      'the server answers',
      async () => (await fetch(`${server.url}/v1/models`).catch(() => null))?.ok === true,
      startMsMax,
    );
    return server;
  }

  async stop(): Promise<void> {
    await endProcess(this.#child);
  }
}
