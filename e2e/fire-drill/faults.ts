/** What goes wrong in a drill. Each fault begins when it is made and goes on until it is ended, or mended from outside. */
import { Redis } from 'ioredis';
import { signalPid } from '../../shared/processes/signal-pid.ts';

export interface Fault {
  end(): Promise<void> | void;
}

/** Of each 0.2 s the processes run for 3 ms, so that most calls are cut in two: a core that somebody else uses, or a card that throttles. */
export function throttle(pids: readonly number[]): Fault {
  let timer: NodeJS.Timeout | undefined;
  const turn = (isRunning: boolean) => {
    for (const pid of pids) signalPid(pid, isRunning ? 'SIGSTOP' : 'SIGCONT');
    timer = setTimeout(() => turn(!isRunning), isRunning ? 200 : 3);
  };
  turn(true);
  return {
    end() {
      clearTimeout(timer);
      for (const pid of pids) signalPid(pid, 'SIGCONT');
    },
  };
}

/** Whatever `victims` names dies, again and again: a row that crashes the engine, or a kernel short of memory. */
export function keepKilling(victims: () => readonly number[], everyMs: number): Fault {
  const timer = setInterval(() => {
    for (const pid of victims()) signalPid(pid, 'SIGKILL');
  }, everyMs);
  return { end: () => clearInterval(timer) };
}

/** A client that holds Redis for a quarter of a second at a time, until somebody ends its connection. */
export function hogRedis(url: string): Fault {
  const redis = new Redis(url, { retryStrategy: () => null, maxRetriesPerRequest: 0 });
  redis.on('error', () => {});
  let isOn = true;
  const hold = async () => {
    const loop =
      'local deadline = tonumber(ARGV[1]) repeat local t = redis.call("TIME") until t[1] * 1000 + t[2] / 1000 > deadline';
    while (isOn) await redis.eval(loop, 0, Date.now() + 250);
  };
  hold().catch(() => {}); // Its connection was ended: that is what mends it.
  return {
    end() {
      isOn = false;
      redis.disconnect();
    },
  };
}
