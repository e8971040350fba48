/**
 * Samples to log-mel features, as transformers' WhisperFeatureExtractor: Hann frames over samples that are padded with
 * silence to the window and mirrored at its ends, power, mel filters, log10, clamped to eight decades below the
 * loudest, scaled. Frames that hear only the padding are all alike and not computed: `floor` is their value. Pure.
 */
import { complexArray, planFourier } from './fourier.ts';
import { type MelFilter, melFilters } from './mel-filters.ts';

export interface LogMelPlan {
  readonly sampleRate: number;
  /** 400 at 16 kHz: frames of 25 ms. */
  readonly fftSize: number;
  /** 160 at 16 kHz: a frame every 10 ms. */
  readonly hop: number;
  /** 80, or 128 from large-v3 on. */
  readonly mels: number;
  /** Length that every recording is padded or cut to: 480,000 are 30 s. */
  readonly windowSamples: number;
}

export interface LogMel {
  /** [mels, frames]. */
  readonly data: Float32Array<ArrayBuffer>;
  /** Frames that hear any of the samples; the window's rest is `floor`. */
  readonly frames: number;
  readonly floor: number;
}

/** WhisperFeatureExtractor has it fixed, whatever the sample rate. */
const hertzMax = 8000;
const powerMin = 1e-10;

/** Plans once (tables of sines and filters); the extractor holds scratch arrays and is not reentrant. */
export function createLogMel(plan: LogMelPlan): (samples: Float32Array) => LogMel {
  const { fftSize, hop, mels, windowSamples } = plan;
  const filters = melFilters({ ...plan, hertzMax });
  const hann = Float64Array.from({ length: fftSize }, (_, at) => 0.5 - 0.5 * Math.cos((2 * Math.PI * at) / fftSize));
  const fourier = planFourier(fftSize);
  const pair = complexArray(fftSize);
  const powers = [new Float64Array(1 + fftSize / 2), new Float64Array(1 + fftSize / 2)] as const;
  const framesMax = Math.floor(windowSamples / hop);

  return (recording) => {
    const samples = recording.length > windowSamples ? recording.subarray(0, windowSamples) : recording;
    const frames = Math.min(framesMax, Math.ceil((samples.length + fftSize / 2) / hop));
    const logs = new Float64Array(mels * frames);
    let loudest = frames < framesMax ? Math.log10(powerMin) : Number.NEGATIVE_INFINITY;
    // Two real frames are one complex transform.
    for (let frame = 0; frame < frames; frame += 2) {
      readFrame(samples, frame * hop, pair.re);
      readFrame(samples, (frame + 1) * hop, pair.im);
      splitPowers(fourier.run(pair), powers);
      for (const [offset, power] of powers.entries())
        if (frame + offset < frames) loudest = Math.max(loudest, writeLogs(power, frame + offset, logs));
    }
    const scale = (log: number) => Math.fround((Math.max(log, loudest - 8) + 4) / 4);
    const data = new Float32Array(logs.length);
    for (let at = 0; at < logs.length; at++) data[at] = scale(logs[at] as number);
    return { data, frames, floor: scale(Math.log10(powerMin)) };
  };

  /** Samples around `centre` under the Hann window; positions beyond the window are mirrored at its ends. */
  function readFrame(samples: Float32Array, centre: number, into: Float64Array): void {
    const start = centre - fftSize / 2;
    for (let at = 0; at < fftSize; at++) {
      const place = Math.abs(start + at);
      const mirrored = place < windowSamples ? place : 2 * (windowSamples - 1) - place;
      into[at] = (samples[mirrored] ?? 0) * (hann[at] as number);
    }
  }

  /** The column of one frame; returns its loudest band. */
  function writeLogs(power: Float64Array, frame: number, logs: Float64Array): number {
    const frames = logs.length / mels;
    let loudest = Number.NEGATIVE_INFINITY;
    for (let mel = 0; mel < mels; mel++) {
      const { from, weights } = filters[mel] as MelFilter;
      let sum = 0;
      for (let at = 0; at < weights.length; at++) sum += (weights[at] as number) * (power[from + at] as number);
      const log = Math.log10(Math.max(sum, powerMin));
      logs[mel * frames + frame] = log;
      if (log > loudest) loudest = log;
    }
    return loudest;
  }
}

/** Powers of the two real signals whose transform this is, the second one times i: by symmetry of either's spectrum. */
function splitPowers(
  { re, im }: { re: Float64Array; im: Float64Array },
  [first, second]: readonly [Float64Array, Float64Array],
): void {
  const size = re.length;
  for (let bin = 0; bin < first.length; bin++) {
    const mirror = (size - bin) % size;
    const [a, b, c, d] = [re[bin] as number, re[mirror] as number, im[bin] as number, im[mirror] as number];
    first[bin] = ((a + b) ** 2 + (c - d) ** 2) / 4;
    second[bin] = ((c + d) ** 2 + (b - a) ** 2) / 4;
  }
}
