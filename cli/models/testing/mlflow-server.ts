/** A real MLflow tracking server with SQLite and a registered model, logged by MLflow's own client. */
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { realpathSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { endProcess } from '../../../shared/testing/end-process.ts';
import { findTool, missing } from '../../../shared/testing/find-tool.ts';
import { freePort } from '../../../shared/testing/free-port.ts';
import { waitUntil } from '../../../shared/testing/wait-until.ts';

const tools = '~/.cache/millrace-tools';
export const skipWithoutMlflow = () =>
  missing(
    'mlflow',
    `python3 -m venv ${tools}/mlflow && ${tools}/mlflow/bin/pip install mlflow==3.17.0 && mkdir -p ${tools}/bin && ln -s ../mlflow/bin/mlflow ${tools}/bin/mlflow`,
  );

/** It loads half of Python's scientific packages: 13 to 25 s on an idle machine. */
const startMsMax = 180_000;

const logModel = `
import sys, mlflow
uri, name, folder, place = sys.argv[1:5]
mlflow.set_tracking_uri(uri)
with mlflow.start_run() as run:
    mlflow.log_artifacts(folder, place)
client = mlflow.MlflowClient()
try:
    client.create_registered_model(name)
except mlflow.MlflowException:
    pass
version = client.create_model_version(name, f"{run.info.artifact_uri}/{place}", run.info.run_id)
client.set_registered_model_alias(name, "champion", version.version)
`;

export class MlflowServer {
  readonly url: string;
  readonly #child: ChildProcess;

  private constructor(url: string, child: ChildProcess) {
    this.url = url;
    this.#child = child;
  }

  static async start(dir: string): Promise<MlflowServer> {
    const port = await freePort();
    const args = ['server', '--host', '127.0.0.1', '--port', String(port), '--workers', '1'];
    args.push('--backend-store-uri', `sqlite:///${dir}/mlflow.db`, '--artifacts-destination', join(dir, 'artifacts'));
    const env = { ...process.env, MLFLOW_SERVER_ENABLE_JOB_EXECUTION: 'false' };
    // A group of its own: its own workers end with it.
    const child = spawn(findTool('mlflow') ?? 'mlflow', args, { cwd: dir, env, stdio: 'ignore', detached: true });
    const url = `http://127.0.0.1:${port}`;
    const isUp = async () => (await fetch(`${url}/health`).catch(() => null))?.ok === true;
    await waitUntil('MLflow answers', isUp, startMsMax);
    return new MlflowServer(url, child);
  }

  /** As its users do: artifacts logged in a run, registered, and the alias "champion" put on it. */
  async log(name: string, folder: string, place = 'model'): Promise<void> {
    const python = join(dirname(realpathSync(findTool('mlflow') ?? '')), 'python');
    await promisify(execFile)(python, ['-c', logModel, this.url, name, folder, place]);
  }

  async stop(): Promise<void> {
    if (this.#child.exitCode !== null) return;
    process.kill(-(this.#child.pid as number), 'SIGTERM');
    await endProcess(this.#child, 'SIGTERM');
  }
}
