/**
 * Resizes pictures exactly as Pillow does: the models' training code resized with it, and a classifier notices.
 * transformers.js shrinks by an affine map without smoothing, which moved a score from 0.85 to 0.97 and one photo in
 * five to another label. Results are equal to the bit.
 */
import { type Bitmap, cut, type Size, type Window } from './bitmap.ts';
import { convolve } from './convolve.ts';
import { type FilterName, kernels } from './resampling-filters.ts';

/** `image` brought to `width` x `height`, or the window of that: only what is kept is computed, however long the rest would be. */
export function resample(
  image: Bitmap,
  { width, height, window = { left: 0, top: 0, width, height } }: Size & { window?: Window },
  filter: FilterName,
): Bitmap {
  if (image.width === width && image.height === height) return cut(image, window);
  if (filter === 'nearest') return resampleNearest(image, { width, height, window });
  const columns = { source: image.width, target: width, start: window.left, length: window.width };
  const rows = { source: image.height, target: height, start: window.top, length: window.height };
  return convolve(image, columns, rows, kernels[filter]);
}

function resampleNearest(image: Bitmap, { width, height, window }: Size & { window: Window }): Bitmap {
  const { channels } = image;
  const columns = nearestPlaces(image.width, width).subarray(window.left, window.left + window.width);
  const rows = nearestPlaces(image.height, height).subarray(window.top, window.top + window.height);
  const data = new Uint8ClampedArray(columns.length * rows.length * channels);
  let at = 0;
  for (const row of rows) {
    for (const column of columns) {
      const source = (row * image.width + column) * channels;
      for (let channel = 0; channel < channels; channel++) data[at++] = image.data[source + channel] as number;
    }
  }
  return { data, width: columns.length, height: rows.length, channels };
}

/** Adds the step up, as Pillow does: 1.5 * (2 / 3) is 1, but 1 / 3 + 2 / 3 may fall short of it. */
function nearestPlaces(source: number, target: number): Int32Array {
  const step = source / target;
  const places = new Int32Array(target);
  let place = step * 0.5;
  for (let at = 0; at < target; at++) {
    places[at] = Math.min(source - 1, Math.trunc(place));
    place += step;
  }
  return places;
}
