/** Clients that keep every model busy over HTTP: short and long texts, speech, photos, single items and lists. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { assetsFolder } from '../../shared/testing/assets.ts';

const samples = join(import.meta.dirname, '../../models/zoo/starter-asr-digits/samples/seven-two-nine.wav');
const sentence = 'The river carries the water to the wheel and the wheel turns the stone that grinds the grain. ';

/** Resolves when all clients have ended, after `signal` aborts. */
export async function mixedLoad(
  url: string,
  models: readonly string[],
  clients: number,
  signal: AbortSignal,
): Promise<void> {
  const bodies = models.flatMap((model) => bodiesOf(model));
  let next = 0;
  const client = async () => {
    while (!signal.aborted) {
      const body = bodies[next++ % bodies.length];
      const headers = { 'content-type': 'application/json', prefer: 'wait=30' };
      const response = await fetch(`${url}/v1/jobs`, { method: 'POST', headers, body: body ?? '{}', signal }).catch(
        () => null,
      );
      await response?.arrayBuffer().catch(() => {});
    }
  };
  await Promise.all(Array.from({ length: clients }, client));
}

function bodiesOf(model: string): string[] {
  if (model === 'starter-ner-groceries') {
    return [
      JSON.stringify({ model, input: 'молоко простоквашино 3.2% 1л' }),
      JSON.stringify({ model, inputs: Array.from({ length: 64 }, (_, i) => `cheese gouda ${i}%`) }),
    ];
  }
  if (model === 'starter-asr-digits')
    return [JSON.stringify({ model, input: { data: readFileSync(samples).toString('base64') } })];
  if (model.startsWith('mobilenet')) {
    const photo = readFileSync(join(assetsFolder(), 'images/tflite-support/burger.jpg')).toString('base64');
    return [JSON.stringify({ model, input: { data: photo } })];
  }
  return [
    JSON.stringify({ model, input: sentence }),
    JSON.stringify({ model, inputs: Array.from({ length: 16 }, (_, i) => sentence.repeat(1 + (i % 8))) }),
  ];
}
