/**
 * Takes every line that the processes write, keeps it in <data>/logs/<role>.log, and shows it: readable on a terminal,
 * as JSON elsewhere, from LOG_LEVEL on, only warnings and errors while a demo prints results.
 */
import type { Paint } from '../terminal/paint.ts';
import { type LogEntry, readLogLine, warnLevel } from './log-entry.ts';
import { RotatingFile } from './rotating-file.ts';

/** `readable`: for people. `json`: lines as they came. `warnings`: for people, warnings and errors only. */
export type LogView = 'readable' | 'json' | 'warnings';

/** pino's numbers. */
const levels = { trace: 10, debug: 20, info: 30, warn: 40, error: 50, silent: Number.POSITIVE_INFINITY } as const;

export interface LogBookWish {
  readonly folder: string;
  readonly view: LogView;
  /** Least level that is shown, by name (LOG_LEVEL). Files keep everything. */
  readonly level: keyof typeof levels;
  readonly paint: Paint;
  /** Where lines are shown: standard error. */
  readonly show: (text: string) => void;
}

const roleWidth = 9;
/** Longer readable lines are cut; the file holds all of it. */
const fieldsWidthMax = 200;

export class LogBook {
  readonly #wish: LogBookWish;
  readonly #files = new Map<string, RotatingFile>();
  #isMuted = false;

  constructor(wish: LogBookWish) {
    this.#wish = wish;
  }

  /** A line that a process wrote. */
  line(role: string, text: string): void {
    this.#write(role, readLogLine(role, text));
  }

  /** Something the launcher itself has to say. */
  say(level: 'info' | 'warn' | 'error', message: string, fields: Record<string, unknown> = {}): void {
    const number = { info: 30, warn: 40, error: 50 }[level];
    const entry = { level: number, time: new Date().toISOString(), role: 'launcher', ...fields, msg: message };
    this.#write('launcher', readLogLine('launcher', JSON.stringify(entry)));
  }

  /** From now on lines go to the files only: the system is stopping, and lost connections are no news. */
  mute(): void {
    this.#isMuted = true;
  }

  close(): void {
    for (const file of this.#files.values()) file.close();
  }

  #write(role: string, entry: LogEntry): void {
    this.#fileOf(role).write(entry.json);
    const { view, level, show } = this.#wish;
    if (entry.level < Math.max(levels[level], view === 'warnings' ? warnLevel : 0)) return;
    if (view === 'json') show(`${entry.json}\n`);
    else if (!this.#isMuted) show(`${this.#readable(entry)}\n`);
  }

  #readable(entry: LogEntry): string {
    const { paint } = this.#wish;
    const colour = entry.level >= 50 ? paint.red : entry.level >= warnLevel ? paint.yellow : paint.plain;
    const fields = entry.fields.length > fieldsWidthMax ? `${entry.fields.slice(0, fieldsWidthMax)}...` : entry.fields;
    const head = `${paint.dim(entry.time)} ${paint.dim(entry.role.padEnd(roleWidth))}`;
    return `${head} ${colour(entry.message)}${fields === '' ? '' : ` ${paint.dim(fields)}`}`;
  }

  #fileOf(role: string): RotatingFile {
    let file = this.#files.get(role);
    if (!file) {
      file = new RotatingFile(this.#wish.folder, role);
      this.#files.set(role, file);
    }
    return file;
  }
}
