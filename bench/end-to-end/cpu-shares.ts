/** Whose CPU an item takes: milliseconds by process and kind of thread over one block, to find what moves from block to block. */
import { cpuOfProcess, type ProcessCpu } from '../method/cpu-time.ts';
import { printTable } from '../method/report.ts';

/** `<role>` for event loops, `<role> threads` for what runs beside them, `<role> ended` for children that came and went. */
export type CpuShares = ReadonlyMap<string, number>;

/** Less is not worth a line. */
const shownMsMin = 0.005;

export class CpuClock {
  readonly #roles: ReadonlyMap<string, readonly number[]>;
  readonly #before: ReadonlyMap<number, ProcessCpu>;

  /** Runs from here on. A process that starts later is not seen until it has ended. */
  constructor(roles: ReadonlyMap<string, readonly number[]>) {
    this.#roles = roles;
    this.#before = new Map([...roles.values()].flat().map((pid) => [pid, cpuOfProcess(pid)]));
  }

  /** Ms per item since the clock was made. */
  read(items: number): CpuShares {
    const shares = new Map<string, number>();
    for (const [role, pids] of this.#roles) {
      for (const pid of pids) {
        const now = cpuOfProcess(pid);
        const before = this.#before.get(pid) as ProcessCpu;
        const add = (name: string, seconds: number) =>
          shares.set(name, (shares.get(name) ?? 0) + (1000 * seconds) / items);
        add(role, now.loop - before.loop);
        add(`${role} threads`, now.threads - before.threads);
        add(`${role} ended`, now.ended - before.ended);
      }
    }
    return shares;
  }
}

/** One line a process, one column a block, in the order in which they ran. */
export function printShares(title: string, blocks: readonly CpuShares[]): void {
  const names = [...new Set(blocks.flatMap((block) => [...block.keys()]))];
  const rows = names.map((name) => [name, ...blocks.map((block) => block.get(name) ?? 0)] as const);
  printTable(
    [title, ...blocks.map((_, block) => String(block + 1))],
    rows.filter(([, ...values]) => values.some((value) => value > shownMsMin)),
  );
}
