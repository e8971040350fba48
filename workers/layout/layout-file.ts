/** What was measured of layouts on this machine: one small file beside the costs of calls, in the data directory. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { replaceFile } from '../../shared/files/replace-file.ts';
import type { Logger } from '../../shared/observability/logger.ts';
import { describeHardware, hashHardware } from '../scheduling/warm-start/hardware.ts';
import type { Layout } from './layout.ts';

/** What was measured is measured again after a month: drivers and neighbours change. */
const daysMax = 30;
const unitsMax = 256;

const count = z.number().int().min(1).max(1024);
const verdict = z.object({
  format: z.literal(1),
  at: z.iso.datetime(),
  layout: z.object({ lanes: count, threads: count }),
  units: z.array(z.string()).max(unitsMax),
});

export interface Verdict {
  readonly layout: Layout;
  /** Whose calls it was measured on. */
  readonly units: readonly string[];
}

export class LayoutFile {
  readonly #path: string;
  readonly #device: string;
  readonly #logger: Logger;

  constructor(dataDir: string, device: string, logger: Logger) {
    // Of the machine: lanes and threads are the answer, not the question.
    this.#path = join(dataDir, 'costs', `layout-${hashHardware(describeHardware(device, 0, 0))}.json`);
    this.#device = device;
    this.#logger = logger;
  }

  async read(): Promise<Verdict | null> {
    try {
      const { at, layout, units } = verdict.parse(JSON.parse(await readFile(this.#path, 'utf8')));
      // An old one holds until there is a new one, but is measured again.
      return { layout, units: Date.now() - Date.parse(at) < daysMax * 86_400_000 ? units : [] };
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT')
        this.#warn(error, 'what was measured of lanes and threads can not be read; measuring it anew');
      return null;
    }
  }

  /** Whether the next process will find it. */
  async write({ layout, units }: Verdict): Promise<boolean> {
    const hardware = describeHardware(this.#device, 0, 0);
    const facts = { format: 1, at: new Date().toISOString(), hardware, layout, units: units.slice(-unitsMax) };
    try {
      await replaceFile(this.#path, `${JSON.stringify(facts)}\n`);
      return true;
    } catch (error) {
      this.#warn(error, 'what was measured of lanes and threads can not be kept');
      return false;
    }
  }

  #warn(error: unknown, what: string): void {
    this.#logger.warn({ path: this.#path, reason: (error as Error).message.slice(0, 300) }, what);
  }
}
