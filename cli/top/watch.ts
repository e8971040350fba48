/** The loop of `top`: reads every two seconds and draws on the alternate screen until q, Ctrl-C or the end of input. */
import { emitKeypressEvents } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ReadStream, WriteStream } from 'node:tty';

export interface Watched {
  /** Lines for a screen of that size. Rejects when the system can not be reached. */
  readonly draw: (columns: number, rows: number) => Promise<string[]>;
  readonly input: ReadStream;
  readonly output: WriteStream;
  readonly everyMs: number;
}

const enter = '\u001b[?1049h\u001b[?25l';
const leave = '\u001b[?25h\u001b[?1049l';
const home = '\u001b[H';
const clearLine = '\u001b[K';
const clearBelow = '\u001b[J';

/** Resolves with the exit status. The terminal is left as it was found, whatever happens. */
export async function watch({ draw, input, output, everyMs }: Watched): Promise<number> {
  const quit = new AbortController();
  const stop = () => quit.abort();
  const onKey = (_text: string, key: { name?: string; ctrl?: boolean }) => {
    if (key.name === 'q' || key.name === 'escape' || (key.ctrl && key.name === 'c')) stop();
  };
  emitKeypressEvents(input);
  input.setRawMode(true).on('keypress', onKey).once('end', stop).resume();
  process.once('SIGTERM', stop);
  output.write(enter);
  try {
    while (!quit.signal.aborted) {
      const lines = await draw(output.columns, output.rows).catch((error: Error) => error.message.split('\n'));
      if (quit.signal.aborted) break;
      output.write(`${home}${lines.map((line) => line + clearLine).join('\n')}${clearBelow}`);
      await sleep(everyMs, undefined, { signal: quit.signal }).catch(() => {});
    }
    return 0;
  } finally {
    process.off('SIGTERM', stop);
    input.off('keypress', onKey).off('end', stop).setRawMode(false).pause();
    output.write(leave);
  }
}
