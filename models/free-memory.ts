/**
 * Gives the memory of large arrays back at once, where it is known that nobody reads them again. Left to the collector,
 * pictures make it mark the whole heap every few hundred: 1.0 ms of CPU a photo in threads, worker and lanes.
 */

/** What is smaller goes with the next collection of what is young. */
const largeBytesMin = 32_768;

/** Frees the large ones of a row or a batch that nobody reads again. */
export function freeLarge(tensors: Readonly<Record<string, { readonly data: ArrayBufferView }>>): void {
  for (const { data } of Object.values(tensors)) if (data.byteLength >= largeBytesMin) freeMemory(data);
}

/** Detaches what is behind `data`. A part of a buffer is left alone: somebody may have the rest. */
export function freeMemory(data: ArrayBufferView): void {
  const { buffer } = data;
  if (buffer instanceof ArrayBuffer && buffer.byteLength === data.byteLength) buffer.transfer(0);
}
