/** Bars of what is fetched, one a file, on a terminal; one line a file elsewhere. The one door to cli-progress. */
import cliProgress from 'cli-progress';
import { formatBytes } from './format-bytes.ts';

export interface FileProgress {
  /** So many bytes are there now. */
  update(bytes: number): void;
  done(): void;
}

export interface Progress {
  begin(name: string, bytes: number): FileProgress;
  stop(): void;
}

const nameColumns = 44;

export function createProgress(output: NodeJS.WriteStream, isQuiet = false): Progress {
  if (isQuiet) return { begin: () => ({ update() {}, done() {} }), stop() {} };
  return output.isTTY ? bars(output) : lines(output);
}

function bars(stream: NodeJS.WriteStream): Progress {
  const all = new cliProgress.MultiBar(
    {
      stream,
      format: '  {name} {bar} {percentage}%  {have}  {eta_formatted}',
      barsize: 24,
      hideCursor: true,
      linewrap: null,
      autopadding: true,
    },
    cliProgress.Presets.shades_classic,
  );
  return {
    begin(name, bytes) {
      const words = (have: number) => ({ name: shorten(name), have: `${formatBytes(have)} of ${formatBytes(bytes)}` });
      const bar = all.create(Math.max(1, bytes), 0, words(0));
      return {
        update: (have) => bar.update(have, words(have)),
        done: () => bar.update(Math.max(1, bytes), words(bytes)),
      };
    },
    stop: () => all.stop(),
  };
}

function lines(output: NodeJS.WritableStream): Progress {
  return {
    begin: (name, bytes) => ({
      update() {},
      done: () => void output.write(`  ${name}  ${formatBytes(bytes)}\n`),
    }),
    stop() {},
  };
}

function shorten(name: string): string {
  return (name.length > nameColumns ? `...${name.slice(3 - nameColumns)}` : name).padEnd(nameColumns);
}
