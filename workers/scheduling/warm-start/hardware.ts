/** What the cost of a call depends on beside the model: costs that were learned on other hardware say nothing here. */
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { availableParallelism, cpus } from 'node:os';
import { join } from 'node:path';
import manifest from '../../../package.json' with { type: 'json' };

export interface Hardware {
  readonly cpu: string;
  readonly cores: number;
  /** `cpu`, or the GPU's index and name. */
  readonly device: string;
  readonly lanes: number;
  /** Of each lane. */
  readonly threads: number;
  /** Version of ONNX Runtime: a release may bring other kernels. */
  readonly runtime: string;
}

export function describeHardware(device: string, lanes: number, threads: number): Hardware {
  return {
    cpu: cpus()[0]?.model.trim() ?? 'unknown',
    cores: availableParallelism(),
    device: nameDevice(device),
    lanes,
    threads,
    runtime: manifest.dependencies['onnxruntime-node'],
  };
}

/** Twelve hex digits that name a file. */
export function hashHardware(hardware: Hardware): string {
  return createHash('sha256').update(JSON.stringify(hardware)).digest('hex').slice(0, 12);
}

/** With the card's name where its driver tells it, in the order of the bus as everywhere else: cards get replaced. */
function nameDevice(device: string): string {
  const index = /^cuda:(\d+)$/.exec(device)?.[1];
  if (index === undefined) return device;
  const cards = '/proc/driver/nvidia/gpus';
  try {
    const card = readdirSync(cards).sort()[Number(index)] ?? '';
    const model = /^Model:\s*(.+)$/m.exec(readFileSync(join(cards, card, 'information'), 'utf8'))?.[1];
    return model ? `${device} ${model}` : device;
  } catch {
    return device;
  }
}
