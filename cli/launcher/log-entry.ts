/** One log line, read: pino's JSON, redis-server's own format, or plain text. Pure. */

export interface LogEntry {
  /** The process that the launcher started ("workers"), or what the line itself says within it ("lane"). */
  readonly role: string;
  /** pino's numbers: 20 debug, 30 info, 40 warning, 50 error. What redis-server says of its start is debug. */
  readonly level: number;
  /** HH:MM:SS, local. */
  readonly time: string;
  readonly message: string;
  /** `key=value` pairs, for people. */
  readonly fields: string;
  /** The line as JSON, as it is kept. */
  readonly json: string;
}

/** pino's number from which on a line is for whoever looks for faults. */
export const warnLevel = 40;

const shownApart = new Set(['level', 'time', 'pid', 'role', 'hostname', 'msg', 'v', 'err']);
/** "1234:M 21 Nov 2026 07:24:46.123 * Ready to accept connections" */
const redisLine = /^\d+:[A-Z] \d+ \w+ \d+ [\d:.]+ ([.*#-]) (.*)$/;
/** redis-server marks these as warnings; they are news only to somebody who runs it as a service. */
const redisNoise =
  /oO0OoO0OoO0Oo|overcommit_memory|Redis version=|User requested shutdown|ready to exit|Received SIGTERM|Configuration loaded|Server initialized/i;

export function readLogLine(role: string, text: string, now: Date = new Date()): LogEntry {
  const parsed = text.startsWith('{') ? parseObject(text) : undefined;
  if (parsed && typeof parsed['level'] === 'number') return fromJson(role, parsed, text);
  const redis = redisLine.exec(text);
  const isWarning = redis ? redis[1] === '#' && !redisNoise.test(text) : role !== 'redis';
  const level = isWarning ? warnLevel : 20;
  const message = redis?.[2] ?? text;
  const json = JSON.stringify({ level, time: now.toISOString(), role, msg: message });
  return { role, level, time: clock(now), message, fields: '', json };
}

function fromJson(role: string, line: Record<string, unknown>, json: string): LogEntry {
  const error = line['err'] as { message?: string; stack?: string } | undefined;
  const isBroken = (line['level'] as number) >= 50;
  const reason = error?.message ? `: ${isBroken ? (error.stack ?? error.message) : error.message}` : '';
  return {
    role: typeof line['role'] === 'string' ? line['role'] : role,
    level: line['level'] as number,
    time: clock(new Date(String(line['time']))),
    message: `${String(line['msg'] ?? '')}${reason}`,
    fields: Object.entries(line)
      .filter(([key]) => !shownApart.has(key))
      .map(([key, value]) => `${key}=${typeof value === 'string' ? value : JSON.stringify(value)}`)
      .join(' '),
    json,
  };
}

function parseObject(text: string): Record<string, unknown> | undefined {
  try {
    return JSON.parse(text) as Record<string, unknown>;
  } catch {
    return undefined;
  }
}

function clock(date: Date): string {
  return Number.isNaN(date.getTime()) ? '--:--:--' : date.toTimeString().slice(0, 8);
}
