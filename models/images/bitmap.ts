/** A decoded picture, and what moves its pixels about without computing any. Pure. */

export interface Size {
  readonly width: number;
  readonly height: number;
}

export interface Bitmap extends Size {
  /** One byte a pixel for gray, three for RGB, row by row. */
  readonly data: Uint8ClampedArray;
  readonly channels: 1 | 3;
}

/** A part of a picture. */
export interface Window extends Size {
  readonly left: number;
  readonly top: number;
}

/** Itself where the window is all of it. */
export function cut(image: Bitmap, { left, top, width, height }: Window): Bitmap {
  if (width === image.width && height === image.height) return image;
  const { channels } = image;
  const data = new Uint8ClampedArray(width * height * channels);
  for (let y = 0; y < height; y++) {
    const from = ((top + y) * image.width + left) * channels;
    data.set(image.data.subarray(from, from + width * channels), y * width * channels);
  }
  return { data, width, height, channels };
}

/** On black; itself where it is as large already. */
export function layOnBlack(
  image: Bitmap,
  { width, height }: Size,
  { left, top }: { left: number; top: number },
): Bitmap {
  if (image.width === width && image.height === height) return image;
  const { channels } = image;
  const data = new Uint8ClampedArray(width * height * channels);
  const line = image.width * channels;
  for (let y = 0; y < image.height; y++) {
    data.set(image.data.subarray(y * line, (y + 1) * line), ((top + y) * width + left) * channels);
  }
  return { data, width, height, channels };
}

export function turnRight({ data, width, height, channels }: Bitmap): Bitmap {
  const turned = new Uint8ClampedArray(data.length);
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++) {
      const from = (y * width + x) * channels;
      const to = (x * height + height - 1 - y) * channels;
      for (let channel = 0; channel < channels; channel++) turned[to + channel] = data[from + channel] as number;
    }
  return { data: turned, width: height, height: width, channels };
}

/** [3, height, width]: gray three times. */
export function toPlanes({ data, width, height, channels }: Bitmap, flipsChannels: boolean): Uint8Array<ArrayBuffer> {
  const plane = width * height;
  const planes = new Uint8Array(3 * plane);
  for (let channel = 0; channel < 3; channel++) {
    if (channels === 1) planes.set(data, channel * plane);
    else {
      const first = flipsChannels ? 2 - channel : channel;
      for (let at = 0; at < plane; at++) planes[channel * plane + at] = data[at * 3 + first] as number;
    }
  }
  return planes;
}
