/** The plain loop as the bench sees it: a process that stands still between its blocks. */
import { join } from 'node:path';
import { HelperProcess } from '../method/helper-process.ts';
import type { Subject } from '../pipeline/subjects.ts';
import type { TextMix } from './texts.ts';

export class PlainLoop {
  readonly #process: HelperProcess;

  private constructor(process: HelperProcess) {
    this.#process = process;
  }

  static async open({ files }: Subject): Promise<PlainLoop> {
    const process = new HelperProcess(join(import.meta.dirname, 'plain-loop.ts'), [JSON.stringify(files)]);
    await process.next('started');
    const loop = new PlainLoop(process);
    await loop.run('short', 1000);
    return loop;
  }

  /** Texts a second. */
  async run(mix: TextMix, ms: number): Promise<number> {
    return (await this.#process.ask<{ type: 'ran'; perSecond: number }>({ mix, ms }, 'ran')).perSecond;
  }

  async vectorOf(text: string): Promise<Float32Array> {
    type Embedded = { type: 'embedded'; vector: Float32Array };
    return (await this.#process.ask<Embedded>({ text }, 'embedded')).vector;
  }

  async close(): Promise<void> {
    await this.#process.stop();
  }
}
