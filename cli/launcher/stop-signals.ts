/**
 * Turns signals into two wishes: stop, and stop at once. One Ctrl-C arrives more than once: the terminal sends SIGINT to
 * the whole group, and npm and the Node 20 parent each repeat theirs. Those within `sameWishMs` count as one.
 */
export interface StopSignals {
  /** Aborts at the first wish to stop; `reason` is the signal's name. */
  readonly signal: AbortSignal;
  dispose(): void;
}

const sameWishMs = 400;
const parentPollMs = 500;

export function listenForStop(onForce: () => void, watchesParent: boolean): StopSignals {
  const controller = new AbortController();
  let wishedAt = Number.NEGATIVE_INFINITY;
  const wish = (name: string) => {
    const now = performance.now();
    if (!controller.signal.aborted) {
      wishedAt = now;
      controller.abort(name);
    } else if (now - wishedAt > sameWishMs && name === 'SIGINT') {
      onForce();
    }
  };
  const names = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
  for (const name of names) process.on(name, wish);
  // A reader that went away (`| head`) wants no more of us.
  const onPipe = (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') wish('EPIPE');
  };
  process.stdout.on('error', onPipe);
  process.stderr.on('error', onPipe);
  const watch = watchesParent ? watchParent(() => wish('SIGTERM')) : undefined;
  return {
    signal: controller.signal,
    dispose() {
      clearInterval(watch);
      for (const name of names) process.off(name, wish);
    },
  };
}

/** npm (or the Node 20 parent) killed with SIGKILL tells nobody; a changed parent does. */
function watchParent(onGone: () => void): NodeJS.Timeout {
  const parent = process.ppid;
  return setInterval(() => {
    if (process.ppid !== parent) onGone();
  }, parentPollMs).unref();
}
