/**
 * When each token was said, from where the decoder looked while it read it: cross-attentions of the heads that follow the
 * sound, sharpened, averaged, and walked through by dynamic time warping, as openai/whisper's timing.py and transformers
 * do. Pure. At most 448 tokens by 1,500 frames, a byte of trace for each pair.
 */

/** One head's attention over the tokens of one text: a row of `framesPerToken` weights for each. */
export interface HeadAttention {
  readonly data: Float32Array;
  readonly framesPerToken: number;
}

export interface AlignmentSize {
  readonly tokens: number;
  /** Frames that the recording fills; what follows is silence that was put behind it. */
  readonly frames: number;
  /** Of the median filter along time: 7. */
  readonly medianWidth: number;
}

/** For each token the frame where the path comes to its row. It never falls; the first is 0. */
export function alignTokens(heads: readonly HeadAttention[], size: AlignmentSize): number[] {
  const { tokens, frames, medianWidth } = size;
  if (tokens === 0) return [];
  const sum = new Float32Array(tokens * frames);
  for (const head of heads) {
    const weights = normalize(head, size);
    for (let row = 0; row < tokens; row++)
      addMedians(
        weights.subarray(row * frames, (row + 1) * frames),
        medianWidth,
        sum.subarray(row * frames, (row + 1) * frames),
      );
  }
  const cost = sum.map((weight) => -weight / heads.length);
  return firstFrames(cost, tokens, frames);
}

/** Each frame's weights over the tokens, to mean 0 and deviation 1: a head that always looks at one place tells nothing. */
function normalize({ data, framesPerToken }: HeadAttention, { tokens, frames }: AlignmentSize): Float32Array {
  const means = new Float64Array(frames);
  const scales = new Float64Array(frames);
  for (let token = 0; token < tokens; token++)
    for (let frame = 0; frame < frames; frame++)
      means[frame] = (means[frame] as number) + (data[token * framesPerToken + frame] as number) / tokens;
  for (let token = 0; token < tokens; token++)
    for (let frame = 0; frame < frames; frame++) {
      const apart = (data[token * framesPerToken + frame] as number) - (means[frame] as number);
      scales[frame] = (scales[frame] as number) + (apart * apart) / tokens;
    }
  // One token alone, or weights that are all the same: nothing stands out.
  for (let frame = 0; frame < frames; frame++)
    scales[frame] = (scales[frame] as number) > 0 ? 1 / Math.sqrt(scales[frame] as number) : 0;
  const weights = new Float32Array(tokens * frames);
  for (let token = 0; token < tokens; token++)
    for (let frame = 0; frame < frames; frame++) {
      const apart = (data[token * framesPerToken + frame] as number) - (means[frame] as number);
      weights[token * frames + frame] = apart * (scales[frame] as number);
    }
  return weights;
}

/** Adds the median around each place to `sum`; beyond the ends the row is mirrored. Rows too short for that stay as they are. */
function addMedians(row: Float32Array, width: number, sum: Float32Array): void {
  const half = width >> 1;
  const last = row.length - 1;
  const sorted = new Float32Array(width);
  for (let at = 0; at <= last; at++) {
    if (last < half) sum[at] = (sum[at] as number) + (row[at] as number);
    else sum[at] = (sum[at] as number) + medianAround(row, at, half, sorted);
  }
}

/** By insertion, and not by `sort` of a typed array: a long window has seven million medians. */
function medianAround(row: Float32Array, at: number, half: number, sorted: Float32Array): number {
  const last = row.length - 1;
  for (let shift = -half; shift <= half; shift++) {
    const place = Math.abs(at + shift);
    const value = row[place > last ? 2 * last - place : place] as number;
    let to = shift + half;
    for (; to > 0 && (sorted[to - 1] as number) > value; to--) sorted[to] = sorted[to - 1] as number;
    sorted[to] = value;
  }
  return sorted[half] as number;
}

const diagonal = 0;
const nextToken = 1;
const nextFrame = 2;

/** The cheapest path from the first token and frame to the last; ties go to the next frame, as in the references. */
function firstFrames(cost: Float32Array, tokens: number, frames: number): number[] {
  const trace = new Uint8Array((tokens + 1) * (frames + 1)).fill(nextFrame, 0, frames + 1);
  let above = new Float32Array(frames + 1).fill(Number.POSITIVE_INFINITY);
  above[0] = 0;
  for (let token = 1; token <= tokens; token++) {
    const own = new Float32Array(frames + 1);
    own[0] = Number.POSITIVE_INFINITY;
    for (let frame = 1; frame <= frames; frame++) {
      const [both, down, along] = [above[frame - 1] as number, above[frame] as number, own[frame - 1] as number];
      const step = both < down && both < along ? diagonal : down < both && down < along ? nextToken : nextFrame;
      const least = step === diagonal ? both : step === nextToken ? down : along;
      own[frame] = (cost[(token - 1) * frames + frame - 1] as number) + least;
      trace[token * (frames + 1) + frame] = step;
    }
    above = own;
  }
  return walkBack(trace, tokens, frames);
}

function walkBack(trace: Uint8Array, tokens: number, frames: number): number[] {
  const first = new Array<number>(tokens).fill(0);
  for (let [token, frame] = [tokens, frames]; token > 0; ) {
    first[token - 1] = Math.max(0, frame - 1);
    const step = frame === 0 ? nextToken : trace[token * (frames + 1) + frame];
    if (step !== nextFrame) token--;
    if (step !== nextToken) frame--;
  }
  return first;
}
