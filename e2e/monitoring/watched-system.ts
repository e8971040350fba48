/** A whole system with jobs flowing, watched by a real Prometheus and real exporters. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { TestChatServer } from '../../workers/upstream/testing/chat-server.ts';
import { type RunningSystem, startSystem } from '../system/running-system.ts';
import { type RunningProgram, serveDcgm, serveText, startNodeExporter, startRedisExporter } from './programs.ts';
import { type RunningPrometheus, startPrometheus } from './prometheus.ts';
import { root } from './rule-files.ts';

/** The last runs on a server elsewhere. */
const models = ['starter-ner-groceries', 'starter-asr-digits', 'vlm'] as const;

/** As one of our processes says it: under compose each is scraped alone. */
const alone = ['millrace_test_shape', 'process_start_time_seconds']
  .map((name) => `${name}{role="worker",instance="cpu-42",device="cpu"} 1\n`)
  .join('');

export interface WatchedSystem {
  readonly system: RunningSystem;
  readonly prometheus: RunningPrometheus;
  /** Webhooks that the receiver took. */
  readonly received: () => number;
  stop(): Promise<void>;
}

export async function startWatchedSystem(factor: number): Promise<WatchedSystem> {
  const stops: (() => Promise<void>)[] = [];
  const stop = async () => {
    for (const each of stops.reverse()) await each();
  };
  const keep = <Part extends { stop(): Promise<void> }>(part: Part): Part => {
    stops.push(() => part.stop());
    return part;
  };
  try {
    const receiver = keep(await startReceiver());
    const chat = await TestChatServer.start();
    stops.push(() => chat.kill());
    const home = mkdtempSync(join(tmpdir(), 'millrace-watched-'));
    stops.push(async () => rmSync(home, { recursive: true }));
    mkdirSync(join(home, models[2]));
    const upstream = { kind: 'openai-chat', url: chat.url, model: 'tiny' };
    // JSON is YAML.
    writeFileSync(join(home, models[2], 'manifest.yaml'), JSON.stringify({ task: 'image-to-text', upstream }));
    const env = {
      MODELS_DIR: home,
      MILLRACE_ALLOW_HOSTS: receiver.address,
      MILLRACE_LANES: '2',
      OTEL_EXPORTER_OTLP_ENDPOINT: `http://${receiver.address}`,
    };
    const system = keep(await startSystem({ env, models }));
    const { hostname, port, password } = new URL(system.redisUrl);
    const redis = { url: `redis://${hostname}:${port}`, password };
    const exporters = await Promise.all([
      startRedisExporter(redis),
      startNodeExporter(),
      serveDcgm(),
      serveText(alone),
    ]);
    const [redisExporter, node, dcgm, worker] = exporters.map((each: RunningProgram) => keep(each).address) as [
      string,
      string,
      string,
      string,
    ];
    const targets = {
      millrace: [new URL(system.adminUrl).host],
      worker: [worker],
      redis: [redisExporter],
      node: [node],
      dcgm: [dcgm],
    };
    const prometheus = keep(await startPrometheus({ factor, targets }));
    stops.push(flow(system, `http://${receiver.address}/hook`));
    return { system, prometheus, received: receiver.received, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** Jobs of all models and all priorities, some with a webhook, about twenty a second. Returns what ends it. */
function flow(system: RunningSystem, hook: string): () => Promise<void> {
  const sample = join(root, 'models/zoo/starter-asr-digits/samples/seven-two-nine.wav');
  const speech = { data: `data:audio/wav;base64,${readFileSync(sample).toString('base64')}` };
  const picture = {
    data: readFileSync(join(root, 'models/zoo/starter-image/samples/database.png')).toString('base64'),
  };
  let isOver = false;
  const submit = async (body: object) => {
    const headers = { 'content-type': 'application/json', prefer: 'wait=10' };
    const response = await fetch(`${system.url}/v1/jobs`, { method: 'POST', headers, body: JSON.stringify(body) });
    await response.arrayBuffer();
  };
  const flowing = (async () => {
    for (let number = 0; !isOver; number++) {
      const webhook = { url: hook, events: ['succeeded'] };
      const texts = ['high', 'normal', 'low'].map((priority) =>
        submit({ model: models[0], inputs: [`хлеб ${number}`, 'молоко простоквашино 3.2% 1л'], priority, webhook }),
      );
      const isFifth = number % 5 === 0;
      const speeches = isFifth ? [submit({ model: models[1], input: speech })] : [];
      const pictures = isFifth ? [submit({ model: models[2], input: picture })] : [];
      await Promise.all([...texts, ...speeches, ...pictures]).catch(() => {});
      await sleep(100);
    }
  })();
  return async () => {
    isOver = true;
    await flowing;
  };
}

/** Of webhooks, at /hook, and of spans, which are not counted. */
async function startReceiver() {
  let received = 0;
  const server = createServer((request, response) => {
    request.resume().on('end', () => {
      if (request.url === '/hook') received++;
      response.end();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    address: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    received: () => received,
    async stop() {
      server.closeAllConnections();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}
