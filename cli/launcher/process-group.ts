/**
 * The processes of one running system, in the order in which they start. They stop in the reverse order, one after
 * another: first what takes work in, last what keeps it.
 */
import { ManagedProcess, type ProcessEvents, type ProcessSpec } from './managed-process.ts';

export class ProcessGroup {
  readonly #events: ProcessEvents;
  readonly #processes: ManagedProcess[] = [];
  #stopped: Promise<void> | undefined;

  constructor(events: ProcessEvents) {
    this.#events = events;
  }

  get members(): readonly ManagedProcess[] {
    return this.#processes;
  }

  add(spec: ProcessSpec): ManagedProcess {
    const member = new ManagedProcess(spec, this.#events);
    this.#processes.push(member);
    if (!this.#stopped) member.start();
    return member;
  }

  /** Resolves when every process is gone. Idempotent. */
  stop(onStopping: (role: string) => void = () => {}): Promise<void> {
    this.#stopped ??= this.#stopEach(onStopping);
    return this.#stopped;
  }

  /** Ends every process at once, without asking. */
  killAll(): void {
    this.#stopped ??= Promise.resolve();
    for (const member of this.#processes) member.kill();
  }

  async #stopEach(onStopping: (role: string) => void): Promise<void> {
    for (const member of this.#processes.toReversed()) {
      onStopping(member.role);
      await member.stop();
    }
  }
}
