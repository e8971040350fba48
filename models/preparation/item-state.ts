/**
 * What the worker's loop and a preparation thread share of an item under way: one word of memory, and one channel for the
 * rare abort. A MessagePort per item, with the thread's word that it has begun, woke the loop once more for each.
 */
import { BroadcastChannel } from 'node:worker_threads';

export type ItemState = Int32Array<SharedArrayBuffer>;

/** Values of the word; it begins as 0, which says that the item waits for a thread. */
const begun = 1;
const aborted = 2;
const channelName = 'millrace-preparation';

interface WatchedItem {
  readonly state: ItemState;
  readonly controller: AbortController;
}

/** Of this thread: it has one item at a time. */
let current: WatchedItem | null = null;
let channel: BroadcastChannel | null = null;

export function newItemState(): ItemState {
  return new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT));
}

/** A thread has the item. */
export function hasBegun(state: ItemState): boolean {
  return Atomics.load(state, 0) === begun;
}

/** Asks whichever thread has the item, or will have it, to stop. */
export function abortItem(state: ItemState): void {
  Atomics.store(state, 0, aborted);
  const call = new BroadcastChannel(channelName);
  call.postMessage('look');
  call.close();
}

/** In the thread: does the work of one item, with a signal that aborts when the loop says so. */
export async function whileWatched<Result>(
  state: ItemState | undefined,
  work: (signal: AbortSignal) => Promise<Result>,
): Promise<Result> {
  const controller = new AbortController();
  if (!state) return await work(controller.signal);
  // Before the look: an abort between the two would be heard by nobody.
  listen();
  if (Atomics.compareExchange(state, 0, 0, begun) === aborted) controller.abort();
  current = { state, controller };
  try {
    return await work(controller.signal);
  } finally {
    current = null;
  }
}

function listen(): void {
  if (channel) return;
  channel = new BroadcastChannel(channelName);
  channel.unref();
  channel.onmessage = () => {
    if (current && Atomics.load(current.state, 0) === aborted) current.controller.abort();
  };
}
