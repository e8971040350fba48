/** The picture of `top` as lines of a given width and height. Pure: what does not fit is counted, not wrapped. */
import { stripVTControlCharacters } from 'node:util';
import type { Paint } from '../terminal/paint.ts';
import type { LaneRow, ModelRow, QueueRow, TenantRow, TopView } from './view.ts';

export interface Frame {
  readonly title: string;
  readonly columns: number;
  readonly rows: number;
  readonly paint: Paint;
}

interface Section {
  readonly head: string;
  readonly lines: readonly string[];
  /** At least so many lines before others get more. */
  readonly least: number;
}

const barWidth = 20;

export function renderTop(view: TopView, { title, columns, rows, paint }: Frame): string[] {
  const sections: Section[] = [
    { head: queueHead(columns), lines: view.queues.map((row) => queueLine(row, columns, paint)), least: 4 },
    { head: modelHead(columns), lines: view.models.map((row) => modelLine(row, columns, paint)), least: 3 },
    { head: laneHead(view), lines: view.lanes.map((row) => laneLine(row, paint)), least: 2 },
    { head: 'TENANT                       UNFINISHED', lines: tenantLines(view.tenants), least: 2 },
  ];
  const head = [paint.bold(cut(title, columns)), ...summary(view, paint)];
  const shares = share(sections, rows - head.length - 2 * sections.length);
  const body = sections.flatMap((section, i) => [
    '',
    paint.dim(cut(section.head, columns)),
    ...fit(section, shares[i] ?? 1),
  ]);
  return [...head, ...body].slice(0, rows).map((line) => {
    const text = stripVTControlCharacters(line);
    return text.length <= columns ? line : cut(text, columns);
  });
}

function summary(view: TopView, paint: Paint): string[] {
  const waiting = view.queues.reduce((sum, row) => sum + row.waiting, 0);
  const claimed = view.queues.reduce((sum, row) => sum + row.claimed, 0);
  const ended = Object.entries(view.endedPerSecond).map(([outcome, perSecond]) => `${outcome} ${number(perSecond)}/s`);
  const door = view.closedFor.length > 0 ? paint.red(`CLOSED (${view.closedFor.join(', ')})`) : 'open';
  const dead = view.deadLetters > 0 ? paint.red(`${view.deadLetters} dead letters`) : 'no dead letters';
  return [
    `jobs   ${waiting} waiting, ${claimed} claimed, in ${number(view.admittedPerSecond)}/s, refused ${number(view.refusedPerSecond)}/s`,
    `items  ${ended.join(', ') || 'none ended yet'}`,
    `door   ${door}   ${dead}   webhooks ${view.webhooksWaiting} waiting, lag ${time(view.webhookLagSeconds)}`,
    `redis  ${redisLine(view, paint)}${predictionLog(view, paint)}`,
  ];
}

/** A process that starts has no connection yet: what the others know of Redis stands beside it. */
function redisLine({ redisBytes, redisBytesMax, redisWriteP99, redisAwayFrom }: TopView, paint: Paint): string {
  const away = redisAwayFrom.length > 0 ? [paint.red(`AWAY from ${redisAwayFrom.join(', ')}`)] : [];
  const known =
    redisBytes === undefined
      ? []
      : [`${mib(redisBytes)} of ${mib(redisBytesMax)} MiB, write p99 ${time(redisWriteP99)}`];
  return [...known, ...away].join(', ') || '-';
}

function predictionLog({ logLagSeconds, isLogDatabaseAway }: TopView, paint: Paint): string {
  if (logLagSeconds === undefined) return '';
  const lag = `   predictions lag ${time(logLagSeconds)}`;
  return isLogDatabaseAway && logLagSeconds > 0 ? `${lag}, ${paint.red('database AWAY')}` : lag;
}

/** Lines per section: what each needs, the least first, and the rest to who wants more, in order. */
function share(sections: readonly Section[], free: number): number[] {
  const wants = sections.map(({ lines }) => Math.max(1, lines.length));
  const got = sections.map(({ least }, i) => Math.min(least, wants[i] ?? 1));
  let left = free - got.reduce((sum, lines) => sum + lines, 0);
  for (let i = 0; i < sections.length && left > 0; i++) {
    const more = Math.min(left, (wants[i] ?? 0) - (got[i] ?? 0));
    got[i] = (got[i] ?? 0) + more;
    left -= more;
  }
  return got;
}

function fit({ lines }: Section, room: number): string[] {
  if (lines.length === 0) return ['none'];
  if (lines.length <= room) return [...lines];
  return [...lines.slice(0, room - 1), `... and ${lines.length - room + 1} more`];
}

/** What is left of a line for the name in front. */
const nameWidth = (columns: number, others: number) => Math.max(12, Math.min(48, columns - others));

const queueCells = (cells: readonly string[]) =>
  cells.map((cell, i) => cell.padStart([7, 6, 8, 8, 9, 9][i] ?? 8)).join('');

function queueHead(columns: number): string {
  return 'QUEUE'.padEnd(nameWidth(columns, 47)) + queueCells(['WAITING', 'CLAIM', 'OLDEST', 'IN/S', 'WAIT p50', 'p99']);
}

function queueLine(row: QueueRow, columns: number, paint: Paint): string {
  const cells = [
    String(row.waiting),
    String(row.claimed),
    row.waiting > 0 ? time(row.oldestSeconds) : '-',
    number(row.inPerSecond),
    time(row.waitP50),
    time(row.waitP99),
  ];
  const width = nameWidth(columns, 47);
  const line = cut(row.queue, width - 1).padEnd(width) + queueCells(cells);
  return row.waiting + row.claimed === 0 && row.inPerSecond === 0 ? paint.dim(line) : line;
}

const modelCells = (cells: readonly string[]) =>
  cells.map((cell, i) => cell.padStart([8, 10, 9, 9, 9][i] ?? 8)).join('');

function modelHead(columns: number): string {
  const head = modelCells(['CALLS/S', 'ROWS/CALL', 'PADDING', 'CALL p50', 'p99']);
  return `${'MODEL'.padEnd(nameWidth(columns, 58))}${'WORKERS'.padEnd(13)}${head}`;
}

function modelLine(row: ModelRow, columns: number, paint: Paint): string {
  const states = Object.entries(row.states).map(([state, count]) => `${count} ${state}`);
  const isWell = states.length === 1 && row.states['ready'] !== undefined;
  const cells = [
    number(row.callsPerSecond),
    row.rowsPerCall === undefined ? '-' : row.rowsPerCall.toFixed(1),
    row.paddingShare === undefined ? '-' : percent(row.paddingShare),
    time(row.computeP50),
    time(row.computeP99),
  ];
  const width = nameWidth(columns, 58);
  const told = cut(states.join(', ') || 'no worker', 12).padEnd(13);
  return cut(row.model, width - 1).padEnd(width) + (isWell ? told : paint.red(told)) + modelCells(cells);
}

function laneHead({ lanesAlive, lanesWanted }: TopView): string {
  return `${`LANE (${lanesAlive} of ${lanesWanted} alive)`.padEnd(29)}BUSY`;
}

function laneLine({ lane, device, busyShare }: LaneRow, paint: Paint): string {
  const full = Math.round(busyShare * barWidth);
  const bar = paint.green('#'.repeat(full)) + paint.dim('.'.repeat(barWidth - full));
  return `${cut(lane, 20).padEnd(21)}${device.padEnd(8)}${bar} ${percent(busyShare).padStart(5)}`;
}

function tenantLines(tenants: readonly TenantRow[] | null): string[] {
  if (tenants === null) return ['Redis could not be asked: set REDIS_URL or MILLRACE_DATA as the system has it.'];
  return tenants.map(({ name, unfinished }) => `${cut(name, 28).padEnd(29)}${String(unfinished).padStart(10)}`);
}

/** "0.4 ms", "12 ms", "3.1 s", "14 min". */
export function time(seconds: number | undefined): string {
  if (seconds === undefined) return '-';
  if (seconds < 0.001) return `${(seconds * 1000).toFixed(1)} ms`;
  if (seconds < 1) return `${Math.round(seconds * 1000)} ms`;
  return seconds < 120 ? `${seconds.toFixed(1)} s` : `${Math.round(seconds / 60)} min`;
}

function number(value: number): string {
  return value >= 100 || value === 0 ? String(Math.round(value)) : value.toFixed(1);
}

const percent = (share: number) => `${Math.round(share * 100)} %`;

function mib(bytes: number | undefined): string {
  return bytes === undefined ? '?' : String(Math.round(bytes / 2 ** 20));
}

function cut(text: string, width: number): string {
  return text.length <= width ? text : `${text.slice(0, width - 1)}…`;
}
